#include "access/testing/access.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>

#include "access/core/encoding.hpp"
#include "access/core/text.hpp"
#include "access/system/state_lock.hpp"
#include "access/testing/tokens.hpp"

namespace mayfly::test {
namespace {

std::string place_of(const Url& url) {
  return url.origin() + url.path;
}

}  // namespace

TemporaryState::TemporaryState() : state_(StateDirectory::open(scratch_ / "state")) {}

std::string TemporaryState::content(const std::string& name) const {
  const auto file = state_.read(name);
  return file ? file->content : "";
}

std::vector<std::string> TemporaryState::names() const {
  auto names = state_.list();
  std::erase(names, StateLock::file);  // it stays where something has been stored once
  std::sort(names.begin(), names.end());
  return names;
}

void TemporaryState::set_age(const std::string& name, std::chrono::seconds age) const {
  const timespec time{.tv_sec = (system_now() - age).time_since_epoch().count(), .tv_nsec = 0};
  const timespec times[] = {time, time};
  REQUIRE(utimensat(state_.descriptor(), name.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
}

void ScriptedSend::on(const std::string& place, Response response) {
  on(place, [response = std::move(response)](const Request&) { return response; });
}

Send ScriptedSend::send() {
  return [this](const Request& request) {
    const auto found = answers_.find(place_of(request.url));
    if (found == answers_.end())
      throw Error(ErrorKind::failed, "unexpected request to " + place_of(request.url));
    if (request.before_sending) request.before_sending();
    requests_.push_back(request);
    return found->second(request);
  };
}

std::size_t ScriptedSend::count(const std::string& place) const {
  return static_cast<std::size_t>(
      std::count_if(requests_.begin(), requests_.end(),
                    [&](const Request& request) { return place_of(request.url) == place; }));
}

const Request& ScriptedSend::last(const std::string& place) const {
  const auto found =
      std::find_if(requests_.rbegin(), requests_.rend(),
                   [&](const Request& request) { return place_of(request.url) == place; });
  REQUIRE(found != requests_.rend());
  return *found;
}

Response answer(int status, Headers headers, std::string body) {
  Response response;
  response.status = status;
  response.headers = std::move(headers);
  response.body = std::move(body);
  return response;
}

Response sealed_answer(std::string_view content, const std::string& receiver_key) {
  const auto bytes = [](std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
  };
  std::string receiver = base64_decode(receiver_key, Base64::url).value();
  std::string sender(crypto_box_PUBLICKEYBYTES, '\0'), secret(crypto_box_SECRETKEYBYTES, '\0');
  std::string nonce(crypto_box_NONCEBYTES, 'n'), box(content.size() + crypto_box_MACBYTES, '\0');
  REQUIRE(crypto_box_keypair(bytes(sender), bytes(secret)) == 0);
  REQUIRE(crypto_box_easy(bytes(box), reinterpret_cast<const unsigned char*>(content.data()),
                          content.size(), bytes(nonce), bytes(receiver), bytes(secret)) == 0);
  return answer(200, {{"Service-Public-Key", base64_encode(sender, Base64::url)}},
                base64_encode(nonce + box, Base64::standard));
}

Response redirect(const std::string& location, Headers headers) {
  headers.add("Location", location);
  return answer(302, std::move(headers));
}

std::string request_header(const Request& request, std::string_view name) {
  for (const auto& [key, value] : request.headers)
    if (equals_ignoring_case(key, name)) return value;
  return "";
}

Error error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  FAIL("no Error was thrown");
  return Error(ErrorKind::failed, "");
}

Application test_application() {
  return {.auth_domain = std::string(kTeam),
          .audience = std::string(kAudience),
          .hostname = std::string(kHost)};
}

Url test_url() {
  return parse_url(kHost);
}

}  // namespace mayfly::test
