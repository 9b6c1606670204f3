// The browser login: our public key goes into the URL of the login page, and the encrypted tokens
// come from the transfer service (docs/protocol.md section 2, Browser).
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "access/core/secret.hpp"
#include "access/core/url.hpp"
#include "access/curl/http.hpp"
#include "access/identity/application.hpp"
#include "access/identity/token_store.hpp"

namespace mayfly {

// Opens a NaCl box (X25519, XSalsa20-Poly1305): sealed is nonce(24) || crypto_box, the keys have 32
// bytes. Returns nullopt if it does not open.
std::optional<Secret> open_box(std::string_view sealed, std::string_view sender,
                               const Secret& secret_key);

// A fresh X25519 key pair. Whoever has the public key can fetch the tokens, so no key pair can be
// loaded or stored.
class TransferKey {
 public:
  TransferKey();
  std::string public_key() const;  // base64url with padding

  // Opens the body (standard base64 of a box, perhaps with a newline after it) from a sender
  // (base64url of 32 bytes). Throws Error(protocol).
  Secret open(std::string_view body, std::string_view sender_public_key) const;

 private:
  std::string public_key_;
  Secret secret_key_;
};

struct TransferOptions {
  enum class Interstitial { keep, close } interstitial = Interstitial::keep;
  enum class Service { commercial, fedramp } service = Service::commercial;
  std::chrono::seconds patience = std::chrono::minutes(15);
  // The service holds a poll for 60 s.
  std::chrono::milliseconds poll_timeout = std::chrono::seconds(75);
  // The least time between the starts of two polls; after failures up to ten times as long.
  std::chrono::milliseconds pause = std::chrono::seconds(1);
};

// Returns the host name of the transfer service.
std::string transfer_host(TransferOptions::Service service);

// Returns the URL that the person opens; its query is sorted and encoded as HTML forms are.
std::string login_url(const Url& url, const Application& application, std::string_view public_key,
                      const TransferOptions& options);

// Polls until the tokens are ready. Goes on after short polls and dropped connections. Calls
// waiting(left) about once a second. Does not check the claims: see check_app_token. Throws
// Error(login_needed) if interrupted or when patience ends, Error(network) after repeated 5xx or if
// the service stays out of reach, Error(protocol) if the answer is not an encrypted token pair.
TokenPair fetch_transfer(const Send& send, const TransferKey& key, const TransferOptions& options,
                         const std::function<void(std::chrono::seconds left)>& waiting);

}  // namespace mayfly
