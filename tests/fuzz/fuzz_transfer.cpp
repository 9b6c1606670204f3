// The answer to a login: what is in the box, or (first byte 1, 3, ...) the box itself after the
// sender's key in the first line.
#include <sodium.h>

#include <array>

#include "access/core/encoding.hpp"
#include "access/identity/transfer.hpp"
#include "fuzz.hpp"
#include "property.hpp"

namespace mayfly::fuzz {
namespace {

class Sender {
 public:
  // What its key and the recipient's make together is had once: it is nearly all of a box's time.
  explicit Sender(const TransferKey& recipient) {
    std::array<unsigned char, crypto_box_SECRETKEYBYTES> secret_key{};
    crypto_box_keypair(public_key_.data(), secret_key.data());
    const auto key = *base64_decode(recipient.public_key(), Base64::url);
    require(
        crypto_box_beforenm(shared_key_.data(), reinterpret_cast<const unsigned char*>(key.data()),
                            secret_key.data()) == 0,
        "two keys fit");
  }

  std::string name() const {
    return base64_encode({reinterpret_cast<const char*>(public_key_.data()), public_key_.size()},
                         Base64::url);
  }

  // nonce || box, in base64.
  std::string seal(std::string_view content) const {
    std::string sealed(crypto_box_NONCEBYTES + crypto_box_MACBYTES + content.size(), '\0');
    auto* bytes = reinterpret_cast<unsigned char*>(sealed.data());
    require(crypto_box_easy_afternm(bytes + crypto_box_NONCEBYTES,
                                    reinterpret_cast<const unsigned char*>(content.data()),
                                    content.size(), bytes, shared_key_.data()) == 0,
            "a box can be made");
    return base64_encode(sealed, Base64::standard);
  }

 private:
  std::array<unsigned char, crypto_box_PUBLICKEYBYTES> public_key_{};
  std::array<unsigned char, crypto_box_BEFORENMBYTES> shared_key_{};
};

std::optional<TokenPair> fetch(const TransferKey& key, const std::string& sender,
                               std::string body) {
  const Send send = [&](const Request& request) -> Response {
    require(request.url.host == "login.cloudflareaccess.org" && request.headers.empty(),
            "the transfer service is asked, and nobody else");
    return {200, {{"Service-Public-Key", sender}}, std::move(body)};
  };
  return result_of({ErrorKind::protocol},
                   [&] { return fetch_transfer(send, key, {}, [](std::chrono::seconds) {}); });
}

const Harness harness("transfer", [](std::string_view input) {
  static const TransferKey key;
  static const Sender sender(key);
  Input in(input);
  if (in.byte() % 2 == 1) {
    const std::string name(in.line());
    if (in.rest().empty()) return;  // not ready yet: it would be asked again
    require(!fetch(key, name, std::string(in.rest())), "nobody makes a box by guessing");
    return;
  }
  const auto content = in.rest();
  if (content.size() % 8 == 0)  // to open a box takes longer than all the rest
    require(key.open(sender.seal(content), sender.name()).reveal() == content,
            "what was sealed opens");
  const auto tokens = fetch(key, sender.name(), sender.seal(content));
  require(!tokens || !tokens->app_token.empty(), "tokens come with one for the application");
});

}  // namespace
}  // namespace mayfly::fuzz
