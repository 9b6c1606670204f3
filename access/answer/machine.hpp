// Reads the edge's answer to a machine's identity: a service token or a client certificate.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "access/core/error.hpp"
#include "access/core/secret.hpp"
#include "access/core/url.hpp"
#include "access/curl/http.hpp"

namespace mayfly {

enum class Machine { service_token, client_certificate };

// A request with a machine's identity.
struct MachineRequest {
  const Url& url;
  const std::string& team;         // the team domain
  const std::string& application;  // its hostname, for messages
  Machine machine;
};

struct MachineAnswer {
  bool wants_person = false;    // the certificate is good, and a login is wanted besides
  std::optional<Secret> token;  // nullopt: the identity goes along with each request
};

// Throws Error(refused) if the edge does not accept the identity.
MachineAnswer judge_machine_answer(const MachineRequest& request, const Response& response,
                                   std::chrono::sys_seconds now);

// Returns whether the answer to a request without a client certificate wants one: a browser login
// would end at the same page.
bool wants_certificate(const Response& response);
Error certificate_wanted(const std::string& application, const Response& response);

}  // namespace mayfly
