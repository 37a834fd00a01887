// Database transactions around several calls.
#pragma once

#include "ledgerflow/client.hpp"
