// Ctrl-C and its like: the statement that runs is cancelled, and the command ends.
#pragma once

#include <ledgerflow/client.hpp>

namespace ledgerflow::command {

void install_signal_handlers();

// The signal that came, or 0.
int signal_caught() noexcept;

// Throws Interrupted when a signal came.
void throw_if_interrupted();

// While it lives, a signal cancels what this client's connection does.
class Cancellable {
 public:
  explicit Cancellable(const client::Client& client);
  ~Cancellable();
  Cancellable(const Cancellable&) = delete;
  Cancellable& operator=(const Cancellable&) = delete;

 private:
  client::Canceller canceller_;
};

}  // namespace ledgerflow::command
