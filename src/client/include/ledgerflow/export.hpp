// Marks what the library shows to its users; everything else in it is hidden.
#pragma once

#define LEDGERFLOW_CLIENT_API __attribute__((visibility("default")))
