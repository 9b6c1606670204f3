// For tests: a small TLS server on a loopback port, HTTP/1.1 as far as its answers say so.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

namespace mayfly::testing {

struct TestServerOptions {
  std::string certificate, key;  // PEM paths; "" for a server without TLS
  std::string client_ca;         // PEM path; a client certificate is asked for
  enum class ClientCertificate { wanted, demanded } client_certificate = ClientCertificate::wanted;
  bool accept_any_client = false;  // whatever its issuer
  std::string highest_tls = "1.3";
  // The bytes to send for a request's (header and body); "" closes the connection, as one with
  // "Connection: close" does.
  std::function<std::string(const std::string& request)> answer;
  // Told a request that ended before it was whole.
  std::function<void(const std::string& beginning)> broken_off = [](const std::string&) {};
};

class TestServer {
 public:
  explicit TestServer(TestServerOptions options);
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;
  ~TestServer();

  int port() const noexcept;
  int handshakes() const noexcept;           // finished ones
  int resumed() const noexcept;              // of these, with a known session
  std::string client_subject() const;        // of the last certificate a client sent; "" when none
  int client_chain_length() const noexcept;  // certificates in that message

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// "HTTP/1.1 200 OK" with that body and those header lines, each with its CRLF.
std::string ok(const std::string& body, const std::string& headers = "");

}  // namespace mayfly::testing
