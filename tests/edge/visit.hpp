// One request on its way through the edge, and what is to be done about it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "edge.hpp"

namespace edge {

// What the connection does after the routes have decided.
enum class Action {
  respond,
  drop,   // close without an answer
  reset,  // TCP reset
  poll,   // hold until the transfer service has something
  tunnel,
  forward,  // pass through to a plain HTTP origin
};

struct Answer {
  Action action = Action::respond;
  Response response;
  double delay = 0;           // seconds before anything happens
  std::string poll_key;       // Action::poll
  std::vector<Field> fields;  // Action::tunnel and forward: added to the origin's answer
  std::optional<Fault> flaw;  // Action::tunnel: upgrade.* that spoils the 101
  Identity identity;
};

struct Visit {
  Edge& edge;
  const Peer& peer;
  const Request& request;
  Entry& entry;
  ApplicationPointer application;
  std::string ray;
  double delay = 0;  // seconds that slow faults add before the answer

  // Uses up a fault if it is on, and notes it in the log.
  std::optional<Fault> fault(std::string_view name);
  std::optional<Fault> fault_in(std::string_view area);
  void slow(std::string_view name);
  std::string application_name() const { return application ? application->name : std::string(); }
};

// Decides about one request; never throws for what a client did.
Answer route(Visit& visit);

Answer route_application(Visit& visit);
Answer route_team(Visit& visit, const std::string& team);
Answer route_transfer(Visit& visit);
Response sign_certificate(Visit& visit, const std::string& team);

Answer answer(Response response);

// Mints both tokens, seals them and hands them to the transfer service; false: no such public key.
struct Delivery {
  std::string public_key;
  std::string email;
  bool with_org = true;
  std::string app_token;  // filled in
  std::string org_token;  // filled in
};
bool deliver(Edge& edge, const Application& application, Delivery& delivery);
bool may_sign_in(const Application& application, const std::string& email);

}  // namespace edge
