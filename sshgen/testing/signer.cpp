#include "sshgen/testing/signer.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace mayfly::sshgen {

Application application_of_team() {
  return {team, std::string(64, 'a'), "vm.example.com"};
}

StoredToken token_of_team(const std::string& jwt) {
  StoredToken token;
  token.jwt = Secret(jwt);
  token.claims.issuer = std::string("https://") + team;
  token.claims.email = "jdoe@example.com";
  return token;
}

SignRequest read_sign_request(const Request& request) {
  const auto json = nlohmann::json::parse(request.body);
  CHECK(json.size() == 3);
  return {json.at("public_key"), json.at("jwt"), json.at("issuer")};
}

Response answer(int status, const std::string& body) {
  Response response;
  response.status = status;
  response.body = body;
  return response;
}

Response signed_answer(const std::string& certificate_line) {
  const nlohmann::json json = {
      {"id", "a0b1"}, {"certificate", certificate_line}, {"expires_at", "2030-01-01T00:00:00Z"}};
  return answer(200, json.dump());
}

Send Signer::send() {
  return [this](const Request& request) {
    if (request.before_sending) request.before_sending();
    requests.push_back(request);
    if (!script.empty()) {
      auto scripted = script.front();
      script.erase(script.begin());
      return scripted;
    }
    return signed_answer(authority.sign(read_sign_request(request).public_key, options));
  };
}

}  // namespace mayfly::sshgen
