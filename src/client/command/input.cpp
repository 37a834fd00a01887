#include "input.hpp"

#include <sys/stat.h>

#include "failure.hpp"
#include "interruption.hpp"

namespace ledgerflow::command {

namespace {

constexpr std::size_t piece_size = 64 * 1024;

}  // namespace

Input::Input(const std::string& name)
    : name_(name == "-" ? "standard input" : name),
      file_(name == "-" ? stdin : std::fopen(name.c_str(), "rb")),
      buffer_(piece_size, '\0') {
  if (file_ == nullptr) throw FileError("read", name_);
}

std::uint64_t Input::size() const {
  struct stat status {};
  const bool is_known = fstat(fileno(file_.get()), &status) == 0 && S_ISREG(status.st_mode);
  return is_known ? static_cast<std::uint64_t>(status.st_size) : 0;
}

std::string_view Input::piece() {
  const std::size_t got = std::fread(buffer_.data(), 1, buffer_.size(), file_.get());
  // A signal may have ended the reading.
  throw_if_interrupted();
  if (got == 0 && std::ferror(file_.get()) != 0) throw FileError("read", name_);
  bytes_read_ += got;
  return {buffer_.data(), got};
}

}  // namespace ledgerflow::command
