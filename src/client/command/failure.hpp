// How the command fails: exit codes, and what stands on standard error.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>

#include "settings.hpp"

namespace ledgerflow::command {

namespace exit_code {
constexpr int success = 0;
constexpr int refused = 1;   // the ledger refused, and nothing was changed
constexpr int usage = 2;     // the command line, or a value on it
constexpr int server = 3;    // no connection, or any other error of the server
constexpr int findings = 4;  // the books are not in order
constexpr int file = 5;      // a file that cannot be read or written
constexpr int signal = 128;  // and the signal's number
}  // namespace exit_code

// A command line that says nothing that could be done.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A file that cannot be read or written. The message is made of errno.
class FileError : public std::runtime_error {
 public:
  FileError(const std::string& does, const std::string& file);
};

// Ended by a signal.
class Interrupted : public std::runtime_error {
 public:
  explicit Interrupted(int signal);
  int signal() const noexcept { return signal_; }

 private:
  int signal_;
};

// Writes the error to standard error, as JSON when results are JSON; returns the exit code.
int report(const std::exception& error, Format format);

}  // namespace ledgerflow::command
