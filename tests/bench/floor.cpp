// The least that a client could cost: OpenSSL alone on the stream that mayfly carries, for
// tests/bench to compare with. It checks what TLS has to check, and nothing else: it is no client
// to be used.
//
//   floor access ssh --hostname H     tunnel on stdin and stdout, token in FLOOR_TOKEN
//   floor access ssh-gen --hostname H exits with 0 when FLOOR_CERTIFICATE can be read
//   floor access ssh-config ...       prints a line
//
// Of WebSocket it does what no client can leave out: it upgrades, writes a header before each
// 65,528 bytes (as many as mayfly sends in a frame, four full TLS records with it) and takes the
// peer's headers away. The mask is zero, which a peer cannot tell and which no client may do: to
// mask is part of what mayfly pays.
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

namespace {

constexpr std::size_t header_room = 14, frame_payload = 4 * 16384 - 8;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "floor: %s\n", what);
  ERR_print_errors_fp(stderr);
  std::exit(1);
}

template <auto free>
struct Free {
  template <typename T>
  void operator()(T* object) const noexcept {
    free(object);
  }
};
using Context = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using Connection = std::unique_ptr<SSL, Free<SSL_free>>;

int connect_to(const char* host) {
  addrinfo hints{}, *list = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(host, "443", &hints, &list) != 0) fail("unknown host");
  const std::unique_ptr<addrinfo, Free<freeaddrinfo>> owner(list);
  const int socket = ::socket(list->ai_family, list->ai_socktype, 0);
  if (connect(socket, list->ai_addr, list->ai_addrlen) != 0) fail("cannot connect");
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

Connection handshake(SSL_CTX* context, const char* host) {
  Connection ssl(SSL_new(context));
  // The macro SSL_set_tlsext_host_name, whose C cast is a warning here.
  SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
           const_cast<char*>(host));
  SSL_set1_host(ssl.get(), host);
  SSL_set_fd(ssl.get(), connect_to(host));
  if (SSL_connect(ssl.get()) != 1) fail("no TLS");
  return ssl;
}

void write_all(SSL* ssl, const char* bytes, std::size_t size) {
  if (SSL_write(ssl, bytes, static_cast<int>(size)) != static_cast<int>(size)) fail("cannot send");
}

// What the edge sent behind its answer stays in `rest`.
void upgrade(SSL* ssl, const char* host, std::string& rest) {
  const char* token = std::getenv("FLOOR_TOKEN");
  const std::string request =
      std::string("GET / HTTP/1.1\r\nHost: ") + host +
      "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nCf-Access-Token: " +
      (token != nullptr ? token : "") + "\r\n\r\n";
  write_all(ssl, request.data(), request.size());
  std::array<char, 16384> room;
  std::size_t end = std::string::npos;
  while ((end = rest.find("\r\n\r\n")) == std::string::npos) {
    const int got = SSL_read(ssl, room.data(), room.size());
    if (got <= 0) fail("no answer");
    rest.append(room.data(), static_cast<std::size_t>(got));
  }
  if (!rest.starts_with("HTTP/1.1 101")) fail("no upgrade");
  rest.erase(0, end + 4);
}

// Takes headers away; a Close ends the program, as it ends a tunnel.
class Unframer {
 public:
  void feed(const char* bytes, std::size_t size) {
    while (size > 0) {
      const std::size_t part = left_ > 0 ? deliver(bytes, size) : gather(*bytes);
      bytes += part;
      size -= part;
    }
  }

 private:
  std::size_t deliver(const char* bytes, std::size_t size) {
    const std::size_t part = static_cast<std::size_t>(std::min<std::uint64_t>(left_, size));
    for (std::size_t done = 0; done < part;) {
      const ssize_t count = write(STDOUT_FILENO, bytes + done, part - done);
      if (count <= 0) std::exit(0);
      done += static_cast<std::size_t>(count);
    }
    left_ -= part;
    return part;
  }
  std::size_t gather(char byte) {
    header_[have_++] = static_cast<unsigned char>(byte);
    const unsigned length = have_ > 1 ? header_[1] & 127U : 0;
    const std::size_t wanted = length == 127 ? 10 : length == 126 ? 4 : 2;
    if (have_ < wanted) return 1;
    if ((header_[0] & 15) == 8) std::exit(0);
    left_ = length < 126 ? length : 0;
    for (std::size_t i = 2; i < wanted; ++i) left_ = left_ << 8 | header_[i];
    have_ = 0;
    return 1;
  }
  std::array<unsigned char, 10> header_{};
  std::size_t have_ = 0;
  std::uint64_t left_ = 0;
};

// The header ends where the payload begins.
const char* put_header(char* payload, std::size_t size) {
  std::memset(payload - 4, 0, 4);  // the mask
  const std::size_t length_size = size < 126 ? 0 : size < 65536 ? 2 : 8;
  char* header = payload - 6 - length_size;
  header[0] = static_cast<char>(0x82);
  header[1] = static_cast<char>(0x80 | (size < 126 ? size : size < 65536 ? 126 : 127));
  for (std::size_t i = length_size; i-- > 0; size >>= 8) header[2 + i] = static_cast<char>(size);
  return header;
}

bool send_some(SSL* ssl, char* room) {
  char* payload = room + header_room;
  const ssize_t got = read(STDIN_FILENO, payload, frame_payload);
  if (got <= 0) return false;
  const char* header = put_header(payload, static_cast<std::size_t>(got));
  write_all(ssl, header, static_cast<std::size_t>(payload - header + got));
  return true;
}

void carry(SSL* ssl, const std::string& rest) {
  std::array<char, header_room + frame_payload> out, in;
  Unframer unframer;
  unframer.feed(rest.data(), rest.size());
  pollfd watched[] = {{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                      {.fd = SSL_get_fd(ssl), .events = POLLIN, .revents = 0}};
  for (;;) {
    if (poll(watched, 2, -1) < 0) fail("cannot wait");
    if (watched[0].revents != 0 && !send_some(ssl, out.data())) watched[0].fd = -1;
    while (watched[1].revents != 0) {
      const int got = SSL_read(ssl, in.data(), in.size());
      if (got <= 0) return;
      unframer.feed(in.data(), static_cast<std::size_t>(got));
      if (SSL_pending(ssl) == 0) break;
    }
  }
}

int tunnel(const char* host) {
  const Context context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_default_verify_dir(context.get());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  // The same cipher as mayfly's.
  SSL_CTX_set_ciphersuites(context.get(), "TLS_AES_128_GCM_SHA256");
  const Connection ssl = handshake(context.get(), host);
  std::string rest;
  upgrade(ssl.get(), host, rest);
  carry(ssl.get(), rest);
  return 0;
}

int read_certificate() {
  const char* path = std::getenv("FLOOR_CERTIFICATE");
  std::FILE* file = path != nullptr ? std::fopen(path, "re") : nullptr;
  if (file == nullptr) return 1;
  std::array<char, 4096> room;
  const std::size_t got = std::fread(room.data(), 1, room.size(), file);
  std::fclose(file);
  return got > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string command = argc > 2 ? argv[2] : "";
  if (command == "ssh-config") return std::puts("Host *") < 0 ? 1 : 0;
  if (command == "ssh-gen") return read_certificate();
  const std::string flag = argc > 4 ? argv[3] : "";
  if (command == "ssh" && flag == "--hostname") return tunnel(argv[4]);
  fail("usage: floor access ssh|ssh-gen|ssh-config --hostname H");
}
