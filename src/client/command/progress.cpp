#include "progress.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>
#include <utility>

#include "output.hpp"

namespace ledgerflow::command {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto first_drawn = std::chrono::milliseconds(1000);
constexpr auto redrawn = std::chrono::milliseconds(100);
constexpr int bar_width = 30;
constexpr char erase_line[] = "\r\033[K";

std::mutex terminal;  // one line at a time
bool is_drawn = false;

void draw(const std::string& line) {
  const std::lock_guard<std::mutex> lock(terminal);
  std::fprintf(stderr, "%s%s", erase_line, line.c_str());
  std::fflush(stderr);
  is_drawn = true;
}

void erase() {
  const std::lock_guard<std::mutex> lock(terminal);
  if (is_drawn) std::fputs(erase_line, stderr);
  is_drawn = false;
}

std::string formatted(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

// Signals go to the main thread, which waits for the server.
std::thread thread_without_signals(std::function<void()> body) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  std::thread thread(std::move(body));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace

Progress::Progress(std::string label, bool is_wanted, std::string unit)
    : label_(std::move(label)), unit_(std::move(unit)) {
  if (is_wanted && is_decorated(stderr)) thread_ = thread_without_signals([this] { run(); });
}

Progress::~Progress() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_over_ = true;
  }
  ended_.notify_one();
  thread_.join();
  erase();
}

void Progress::run() {
  const Clock::time_point start = Clock::now();
  std::unique_lock<std::mutex> lock(mutex_);
  auto pause = first_drawn;
  while (!ended_.wait_for(lock, pause, [this] { return is_over_; })) {
    draw(line(std::chrono::duration<double>(Clock::now() - start).count()));
    pause = redrawn;
  }
}

std::string Progress::line(double seconds) const {
  const std::uint64_t total = total_, done = done_;
  std::string text = label_;
  if (total > 0) {
    const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    const auto filled = static_cast<std::size_t>(part * bar_width);
    text += " [" + std::string(filled, '#') + std::string(bar_width - filled, ' ') + "]" +
            formatted(" %3.0f%%", part * 100);
  } else if (done > 0) {
    text += " " + std::to_string(done) + " " + unit_;
  }
  return text + formatted(" %.0f s", seconds);
}

void say(const std::string& text) {
  const std::lock_guard<std::mutex> lock(terminal);
  std::fprintf(stderr, "%s%s\n", is_drawn ? erase_line : "", text.c_str());
  is_drawn = false;
}

}  // namespace ledgerflow::command
