// The transfer service: sealed tokens waiting for the one who holds the private key.
#include "transfer.hpp"

#include <sodium.h>

#include "crypto.hpp"

namespace edge {
namespace {

struct Sealed {
  std::string sender;   // public key
  std::string message;  // nonce and box
};

unsigned char* box_bytes(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

const unsigned char* box_bytes(const std::string& bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::optional<Sealed> seal(const std::string& recipient, const std::string& plain) {
  std::string sender(crypto_box_PUBLICKEYBYTES, '\0');
  std::string secret(crypto_box_SECRETKEYBYTES, '\0');
  crypto_box_keypair(box_bytes(sender), box_bytes(secret));
  const std::string nonce = random_bytes(crypto_box_NONCEBYTES);
  std::string box(plain.size() + crypto_box_MACBYTES, '\0');
  if (crypto_box_easy(box_bytes(box), box_bytes(plain), plain.size(), box_bytes(nonce),
                      box_bytes(recipient), box_bytes(secret)) != 0) {
    return std::nullopt;
  }
  return Sealed{sender, nonce + box};
}

// Applies one of the transfer.* faults that concern what is handed out.
Response spoil(Sealed sealed, const std::string& fault) {
  if (fault == "transfer.tampered") sealed.message.back() ^= 1;
  if (fault == "transfer.short_key") sealed.sender.pop_back();
  if (fault == "transfer.long_key") sealed.sender += '\0';
  Response response = respond(200, "text/plain", base64(sealed.message));
  if (fault == "transfer.garbage") response.body = "<!doctype html><p>*** not base64 ***";
  if (fault == "transfer.empty") response.body.clear();
  if (fault == "transfer.huge") response.body = std::string(std::size_t{8} << 20, 'A');
  if (fault != "transfer.missing_key") {
    response.fields.push_back({"service-public-key", base64url_padded(sealed.sender)});
  }
  return response;
}

}  // namespace

bool Transfer::deliver(const std::string& public_key, const std::string& plain,
                       const std::optional<Fault>& flaw) {
  const std::string recipient = unbase64(public_key);
  if (recipient.size() != crypto_box_PUBLICKEYBYTES) return false;
  const std::string fault = flaw ? flaw->name : std::string();
  auto sealed = seal(recipient, fault == "transfer.garbage_json" ? "}not json{" : plain);
  if (!sealed) return false;
  ready_[public_key] = spoil(std::move(*sealed), fault);
  const auto waiting = waiting_;  // a woken one leaves, which changes the list
  for (const auto& [key, wake] : waiting) {
    if (key == public_key) wake();
  }
  return true;
}

std::optional<Response> Transfer::fetch(const std::string& public_key) {
  const auto found = ready_.find(public_key);
  if (found == ready_.end()) return std::nullopt;
  Response response = std::move(found->second);
  ready_.erase(found);
  return response;
}

Transfer::Ticket Transfer::wait(const std::string& public_key, std::function<void()> wake) {
  return waiting_.emplace(waiting_.end(), public_key, std::move(wake));
}

std::vector<std::string> Transfer::pending() const {
  std::vector<std::string> keys;
  for (const auto& [key, wake] : waiting_) keys.push_back(key);
  return keys;
}

}  // namespace edge
