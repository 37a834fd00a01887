// How far long work is, on standard error while it is a terminal.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace ledgerflow::command {

// Draws a line from its first second on, and removes it in the end: a bar when it is known how much
// there is to do, else what was done and the time.
class Progress {
 public:
  Progress(std::string label, bool is_wanted, std::string unit = {});
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void set_total(std::uint64_t total) { total_ = total; }
  void set_done(std::uint64_t done) { done_ = done; }

 private:
  void run();
  std::string line(double seconds) const;

  const std::string label_, unit_;
  std::atomic<std::uint64_t> total_{0}, done_{0};
  std::mutex mutex_;
  std::condition_variable ended_;
  bool is_over_ = false;
  std::thread thread_;
};

// A line on standard error; a progress line steps aside for it.
void say(const std::string& text);

}  // namespace ledgerflow::command
