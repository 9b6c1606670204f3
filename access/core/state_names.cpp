#include "access/core/state_names.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "access/core/error.hpp"
#include "access/core/text.hpp"

namespace mayfly {
namespace {

constexpr std::string_view temporary_prefix = ".mayfly-";

// Longer suffixes before those that they end in or continue.
constexpr struct Kind {
  StateFile kind;
  std::string_view suffix;
} kinds[] = {
    {StateFile::certificate, "-cf_key-cert.pub"},
    {StateFile::agent_certificate, "-agent-cert.pub"},
    {StateFile::public_key, "-cf_key.pub"},
    {StateFile::private_key, "-cf_key"},
    {StateFile::own_certificate, "-own_key-cert.pub"},
    {StateFile::own_public_key, "-own_key.pub"},
    {StateFile::org_token, "-org-token"},
    {StateFile::app_token, "-token"},
    {StateFile::application, "-app"},
    {StateFile::key_set, "-jwks"},
    {StateFile::oauth_client, "-oauth-client"},
    {StateFile::oauth_grant, "-oauth-grant"},
    {StateFile::service_team, "-service-team"},
    {StateFile::lock, ".lock"},
    {StateFile::url, ".url"},
    {StateFile::temporary, ".tmp"},
};

bool can_be_locked(std::string_view name) {
  return stem_of(StateFile::app_token, name) || stem_of(StateFile::oauth_grant, name) ||
         stem_of(StateFile::private_key, name);
}

}  // namespace

std::string file_name(std::string_view raw) {
  std::string name(raw);
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '/' || c == '*'; }, '-');
  const bool has_control = std::any_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
  if (name.empty() || name.front() == '.' || name.size() > 255 || has_control) {
    throw Error(ErrorKind::usage, fmt::format("\"{}\" cannot be a file name", printable(raw)));
  }
  return name;
}

std::string_view suffix_of(StateFile kind) {
  return std::find_if(std::begin(kinds), std::end(kinds),
                      [&](const Kind& one) { return one.kind == kind; })
      ->suffix;
}

std::string state_name(StateFile kind, std::string_view stem) {
  if (kind == StateFile::temporary)
    return fmt::format("{}{}{}", temporary_prefix, stem, suffix_of(kind));
  return file_name(fmt::format("{}{}", stem, suffix_of(kind)));
}

std::optional<std::string_view> stem_of(StateFile kind, std::string_view name) {
  const std::string_view prefix =
      kind == StateFile::temporary ? temporary_prefix : std::string_view();
  const std::string_view suffix = suffix_of(kind);
  if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) ||
      !name.ends_with(suffix))
    return std::nullopt;
  return name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
}

std::optional<StateName> recognise(std::string_view name) {
  for (const Kind& one : kinds) {
    const auto stem = stem_of(one.kind, name);
    if (!stem) continue;
    if (one.kind != StateFile::temporary && name.starts_with('.')) return std::nullopt;
    const bool is_lock = one.kind == StateFile::lock || one.kind == StateFile::url;
    if (is_lock && !can_be_locked(*stem)) return std::nullopt;
    return StateName{one.kind, *stem};
  }
  return std::nullopt;
}

}  // namespace mayfly
