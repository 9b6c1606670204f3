#include "access/identity/box.hpp"

#include <sodium.h>

#include "access/core/error.hpp"

namespace mayfly {
namespace {

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* writable(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

}  // namespace

BoxKeyPair BoxKeyPair::generate() {
  if (sodium_init() < 0)
    throw Error(ErrorKind::failed, "making a key pair: libsodium did not start");
  std::string public_key(crypto_box_PUBLICKEYBYTES, '\0');
  std::string secret_key(crypto_box_SECRETKEYBYTES, '\0');
  crypto_box_keypair(writable(public_key), writable(secret_key));
  BoxKeyPair pair{std::move(public_key), Secret(std::string_view(secret_key))};
  wipe(secret_key);
  return pair;
}

std::optional<Secret> open_box(std::string_view sealed, std::string_view sender,
                               const Secret& secret_key) {
  if (sealed.size() < crypto_box_NONCEBYTES + crypto_box_MACBYTES ||
      sender.size() != crypto_box_PUBLICKEYBYTES ||
      secret_key.size() != crypto_box_SECRETKEYBYTES || sodium_init() < 0)
    return std::nullopt;
  const std::string_view box = sealed.substr(crypto_box_NONCEBYTES);
  std::string opened(box.size() - crypto_box_MACBYTES, '\0');
  if (crypto_box_open_easy(writable(opened), bytes_of(box), box.size(), bytes_of(sealed),
                           bytes_of(sender), bytes_of(secret_key.reveal())) != 0)
    return std::nullopt;
  Secret content{std::string_view(opened)};
  wipe(opened);
  return content;
}

}  // namespace mayfly
