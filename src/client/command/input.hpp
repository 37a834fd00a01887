// Files that are read, and standard input.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ledgerflow::command {

// Read piece by piece. "-" is standard input.
class Input {
 public:
  // Throws FileError.
  explicit Input(const std::string& name);
  ~Input();
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  const std::string& name() const { return name_; }
  // In bytes; zero when nobody knows.
  std::uint64_t size() const;
  std::uint64_t bytes_read() const { return bytes_read_; }

  // The next piece, as soon as there is one; empty at the end. Throws FileError.
  std::string_view piece();

 private:
  std::string name_;
  int file_;
  std::string buffer_;
  std::uint64_t bytes_read_ = 0;
};

}  // namespace ledgerflow::command
