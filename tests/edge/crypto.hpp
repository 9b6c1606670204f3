// Encodings, digests and RSA signatures, as JSON Web Tokens need them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "handle.hpp"

namespace edge {

// Throws std::runtime_error naming what failed when `ok` is false, with OpenSSL's last reason.
void require(bool ok, const char* what);

std::string base64(std::string_view bytes);
std::string base64url(std::string_view bytes);         // without padding
std::string base64url_padded(std::string_view bytes);  // with padding
// Both alphabets, padding or not; empty when it is not base64.
std::string unbase64(std::string_view text);
std::string hex(std::string_view bytes);
// Blanks are skipped; throws std::runtime_error on anything that is not hex.
std::string unhex(std::string_view text);

std::string sha256(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);
std::string random_bytes(std::size_t count);

Key generate_rsa(unsigned bits);
Key generate_p256();
Key read_private_key(const std::string& path);
void write_private_key(const std::string& path, EVP_PKEY* key);
std::string public_pem(EVP_PKEY* key);
std::string rsa_parameter(EVP_PKEY* key, const char* name);  // big endian bytes of "n" or "e"

std::string sign_rs256(EVP_PKEY* key, std::string_view bytes);
bool verify_rs256(EVP_PKEY* key, std::string_view bytes, std::string_view signature);

std::string read_file(const std::string& path);
enum class Access { owner, everybody };
void write_file(const std::string& path, std::string_view bytes, Access access);

}  // namespace edge
