// The browser login: a public key goes into the URL, sealed tokens come back (docs/protocol.md
// section 2, Browser).
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "access/core/secret.hpp"
#include "access/core/url.hpp"
#include "access/curl/http.hpp"
#include "access/identity/application.hpp"
#include "access/identity/box.hpp"
#include "access/identity/token_store.hpp"

namespace mayfly {

// A fresh X25519 key pair; the public key is the capability to fetch the credential, so there is no
// way to load or store one.
class TransferKey {
 public:
  TransferKey() : pair_(BoxKeyPair::generate()) {}
  std::string public_key() const;  // base64url with padding

  // body: standard base64 of nonce(24) || crypto_box, perhaps with a newline after it; sender:
  // base64url of exactly 32 bytes. Throws Error(protocol).
  Secret open(std::string_view body, std::string_view sender_public_key) const;

 private:
  BoxKeyPair pair_;
};

struct TransferOptions {
  enum class Interstitial { keep, close } interstitial = Interstitial::keep;
  enum class Service { commercial, fedramp } service = Service::commercial;
  std::chrono::seconds patience = std::chrono::minutes(15);
  // The service holds a poll for 60 s.
  std::chrono::milliseconds poll_timeout = std::chrono::seconds(75);
  // Polls start no closer together than this; what follows a failure waits up to ten times as long.
  std::chrono::milliseconds pause = std::chrono::seconds(1);
};

// Returns the host name of the transfer service.
std::string transfer_host(TransferOptions::Service service);

// The URL a person opens; query sorted, encoded as HTML forms are.
std::string login_url(const Url& url, const Application& application, std::string_view public_key,
                      const TransferOptions& options);

// Polls until the tokens are there. Survives short polls, dropped connections and a person who
// takes ten minutes. waiting(left) is called about once a second. What the tokens say is not looked
// at: see check_app_token. Throws Error(login_needed) when patience ends or interrupted,
// Error(network) on 5xx or when the service cannot be reached for long, Error(protocol) when what
// comes is not a sealed token pair.
TokenPair fetch_transfer(const Send& send, const TransferKey& key, const TransferOptions& options,
                         const std::function<void(std::chrono::seconds left)>& waiting);

}  // namespace mayfly
