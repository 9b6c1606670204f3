// The origin's side: what reaches it, and the answers that it gives by itself.
#include "own_answer.hpp"

#include "admission.hpp"
#include "service_token.hpp"

namespace edge {
namespace {

bool is_credential(const Field& field, const Application& application) {
  for (const char* name : {"cf-access-token", "cf-access-jwt-assertion"}) {
    if (same_name(field.name, name)) return true;
  }
  if (carries_service_token(field, application)) return true;
  return application.oauth.enabled && same_name(field.name, "authorization") &&
         bearer_token(field.value).starts_with("oauth:");
}

}  // namespace

std::vector<Field> fields_for_origin(const Request& request, const Application& application) {
  std::vector<Field> fields;
  for (const Field& field : request.fields) {
    if (!is_credential(field, application)) fields.push_back(field);
  }
  return fields;
}

void note_origin_request(Visit& visit) {
  ++visit.edge.stats.applications[visit.application->name].origin_requests;
  if (!visit.edge.config.log) return;
  visit.entry.reached_origin = true;
  visit.entry.origin_fields = fields_for_origin(visit.request, *visit.application);
}

const OwnAnswer* find_own_answer(const Visit& visit) {
  const auto& answers = visit.application->own_answers;
  const std::string& path = visit.request.path;
  if (const auto exact = answers.find(path); exact != answers.end()) return &exact->second;
  const OwnAnswer* best = nullptr;
  std::size_t length = 0;
  for (const auto& [pattern, own] : answers) {
    if (!pattern.ends_with('*') || pattern.size() < length) continue;
    if (!path.starts_with(pattern.substr(0, pattern.size() - 1))) continue;
    best = &own;
    length = pattern.size();
  }
  return best;
}

Answer give_own_answer(const OwnAnswer& own, const std::vector<Field>& earned) {
  Response response{own.status, own.headers, own.body};
  if (!own.body.empty() && response.header("content-type").empty()) {
    response.fields.push_back({"Content-Type", "text/plain; charset=utf-8"});
  }
  response.fields.insert(response.fields.end(), earned.begin(), earned.end());
  return answer(std::move(response));
}

}  // namespace edge
