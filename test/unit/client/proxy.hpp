// A bad network between a client and the tests' server: passes bytes on, holds them back, swallows
// them, or cuts connections.
#pragma once

#include <atomic>
#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <thread>

namespace ledgerflow::client::testing {

class Proxy {
 public:
  Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;
  ~Proxy();

  // The tests' database, by way of the proxy.
  std::string database() const;

  // Closes every connection that there is.
  void cut();
  // From now on: connections are refused as soon as they are made.
  void refuse(bool refusing) { refusing_ = refusing; }
  // From now on: bytes to the server, or from it, disappear, on connections that there are.
  void swallow_requests();
  void swallow_answers();
  // Holds requests back until told otherwise; then they are passed on.
  void hold_requests(bool holding);
  // Cuts the connection that is the next to carry so many more bytes of answers.
  void cut_after_answer_bytes(long bytes) { answer_bytes_left_ = bytes; }
  void cut_after_request_bytes(long bytes) { request_bytes_left_ = bytes; }

  // Connections made so far.
  int connections() const { return made_; }

 private:
  struct Link {
    int client = -1;
    int server = -1;
    std::atomic<bool> swallow_requests{false};
    std::atomic<bool> swallow_answers{false};
    std::atomic<bool> hold_requests{false};
    std::thread thread;
  };

  void accept_all();
  void serve(Link& link);
  bool pass(int from, int to, bool swallow, std::atomic<long>& left);

  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> refusing_{false};
  std::atomic<long> answer_bytes_left_{-1};
  std::atomic<long> request_bytes_left_{-1};
  std::atomic<int> made_{0};
  std::mutex mutex_;
  std::list<Link> links_;
  std::thread acceptor_;
};

}  // namespace ledgerflow::client::testing
