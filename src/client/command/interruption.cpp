#include "interruption.hpp"

#include <unistd.h>

#include <atomic>
#include <csignal>

#include "failure.hpp"

namespace ledgerflow::command {

namespace {

std::atomic<int> caught{0};
std::atomic<const client::Canceller*> running{nullptr};

extern "C" void on_signal(int signal) {
  // The second one means it.
  if (caught.exchange(signal) != 0) _exit(exit_code::signal + signal);
  if (const client::Canceller* canceller = running.load()) canceller->cancel();
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  // Without SA_RESTART: a read from a terminal ends.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
  // `| head` ends the command without a word, even if somebody had this signal ignored.
  std::signal(SIGPIPE, SIG_DFL);
}

int signal_caught() noexcept { return caught; }

void throw_if_interrupted() {
  if (caught != 0) throw Interrupted(caught);
}

Cancellable::Cancellable(const client::Client& client) : canceller_(client.canceller()) {
  running = &canceller_;
  throw_if_interrupted();
}

Cancellable::~Cancellable() { running = nullptr; }

}  // namespace ledgerflow::command
