#include "input.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "failure.hpp"
#include "interruption.hpp"

namespace ledgerflow::command {

namespace {

constexpr std::size_t piece_size = 64 * 1024;

}  // namespace

Input::Input(const std::string& name)
    : name_(name == "-" ? "standard input" : name),
      file_(name == "-" ? STDIN_FILENO : open(name.c_str(), O_RDONLY | O_CLOEXEC)),
      buffer_(piece_size, '\0') {
  if (file_ < 0) throw FileError("read", name_);
}

Input::~Input() {
  if (file_ != STDIN_FILENO) close(file_);
}

std::uint64_t Input::size() const {
  struct stat status {};
  const bool is_known = fstat(file_, &status) == 0 && S_ISREG(status.st_mode);
  return is_known ? static_cast<std::uint64_t>(status.st_size) : 0;
}

std::string_view Input::piece() {
  for (;;) {
    const ssize_t got = read(file_, buffer_.data(), buffer_.size());
    throw_if_interrupted();
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw FileError("read", name_);
    bytes_read_ += static_cast<std::uint64_t>(got);
    return {buffer_.data(), static_cast<std::size_t>(got)};
  }
}

}  // namespace ledgerflow::command
