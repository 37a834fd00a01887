#include "proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "server.hpp"

namespace ledgerflow::client::testing {

namespace {

constexpr int step_ms = 5;

bool readable(int descriptor, int timeout_ms) {
  pollfd waiting{descriptor, POLLIN, 0};
  return poll(&waiting, 1, timeout_ms) > 0;
}

int connect_to_server() {
  const int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const char* const port = std::getenv("PGPORT");
  const std::string path =
      std::string(std::getenv("PGHOST")) + "/.s.PGSQL." + (port != nullptr ? port : "5432");
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(descriptor);
    return -1;
  }
  return descriptor;
}

}  // namespace

Proxy::Proxy() {
  listener_ = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      listen(listener_, 16) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    ADD_FAILURE() << "no proxy: " << std::strerror(errno);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

Proxy::~Proxy() {
  stopping_ = true;
  acceptor_.join();
  for (Link& link : links_) link.thread.join();
  close(listener_);
}

std::string Proxy::database() const {
  return test_database() + " host=127.0.0.1 port=" + std::to_string(port_) +
         " sslmode=disable gssencmode=disable";
}

void Proxy::cut() {
  const std::lock_guard lock(mutex_);
  for (Link& link : links_) {
    shutdown(link.client, SHUT_RDWR);
    shutdown(link.server, SHUT_RDWR);
  }
}

void Proxy::swallow_requests() {
  const std::lock_guard lock(mutex_);
  for (Link& link : links_) link.swallow_requests = true;
}
void Proxy::swallow_answers() {
  const std::lock_guard lock(mutex_);
  for (Link& link : links_) link.swallow_answers = true;
}
void Proxy::hold_requests(bool holding) {
  const std::lock_guard lock(mutex_);
  for (Link& link : links_) link.hold_requests = holding;
}

void Proxy::accept_all() {
  while (!stopping_) {
    if (!readable(listener_, step_ms)) continue;
    const int client = accept(listener_, nullptr, nullptr);
    if (client < 0) continue;
    const int server = refusing_ ? -1 : connect_to_server();
    if (server < 0) {
      close(client);
      continue;
    }
    ++made_;
    const std::lock_guard lock(mutex_);
    Link& link = links_.emplace_back();
    link.client = client;
    link.server = server;
    link.thread = std::thread([this, &link] { serve(link); });
  }
}

void Proxy::serve(Link& link) {
  bool open = true;
  bool client_open = true;
  while (open && !stopping_) {
    const bool reads_client = client_open && !link.hold_requests;
    pollfd ends[2] = {{reads_client ? link.client : -1, POLLIN, 0}, {link.server, POLLIN, 0}};
    if (poll(ends, 2, step_ms) <= 0) continue;
    if (ends[0].revents != 0)
      client_open = pass(link.client, link.server, link.swallow_requests, request_bytes_left_);
    if (ends[1].revents != 0)
      open = pass(link.server, link.client, link.swallow_answers, answer_bytes_left_);
    open = open && client_open;
  }
  const std::lock_guard lock(mutex_);
  close(link.client);
  close(link.server);
  link.client = link.server = -1;
}

// False when the connection is over.
bool Proxy::pass(int from, int to, bool swallow, std::atomic<long>& left) {
  char bytes[4096];
  const ssize_t got = recv(from, bytes, sizeof bytes, 0);
  if (got <= 0) return false;
  if (swallow) return true;
  auto count = static_cast<std::size_t>(got);
  const long allowed = left;
  const bool last = allowed >= 0 && static_cast<long>(count) >= allowed;
  if (last) count = static_cast<std::size_t>(allowed);
  if (allowed >= 0) left = last ? -1 : allowed - static_cast<long>(count);
  for (std::size_t sent = 0; sent < count;) {
    const ssize_t now = ::send(to, bytes + sent, count - sent, MSG_NOSIGNAL);
    if (now <= 0) return false;
    sent += static_cast<std::size_t>(now);
  }
  return !last;
}

}  // namespace ledgerflow::client::testing
