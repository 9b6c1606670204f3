// Faults that can be switched on: their names, and what is left of them.
#include "faults.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <stdexcept>

namespace edge {
namespace {

using nlohmann::json;

struct Area {
  const char* name;
  const char* faults;
};

constexpr std::array areas = {
    Area{"tls", "expired wrong_host self_signed reset stall"},
    Area{"metadata",
         "bad_signature wrong_host old_iat future_iat no_iat alg_none alg_hs256 wrong_type "
         "empty_aud no_aud auth_domain_userinfo auth_domain_evil auth_domain_path auth_domain_port "
         "auth_domain_upper auth_domain traversal missing_header unknown_kid no_kid garbage huge "
         "slow 403 403_challenge 403_waf 404 429 502 530_1033"},
    Area{"jwks", "huge redirect 500 html empty no_keys garbage weak foreign slow close"},
    Area{"transfer",
         "drop_polls short_polls 500 garbage garbage_json tampered short_key long_key missing_key "
         "wrong_audience foreign_issuer expired_token no_org_token empty huge"},
    Area{"exchange",
         "refuse foreign_redirect http_downgrade login_downgrade login_foreign expired_cookie "
         "no_cookie no_session wrong_audience loop 500 slow"},
    Area{"cert_sign",
         "401 403 html_502 empty garbage json_error control_characters foreign_key "
         "foreign_principal expired not_yet_valid host_certificate extra_critical_option "
         "no_principals bad_signature trailing_garbage two_lines huge slow no_ca custom_domain"},
    Area{"upgrade",
         "200 403 403_challenge 403_waf 404 429 500 502 503 530_1033 redirect_elsewhere "
         "login_redirect "
         "bad_accept missing_accept wrong_upgrade missing_upgrade missing_connection extension "
         "subprotocol http_1_0 slow truncated_head huge_headers many_headers close reset"},
    Area{"tunnel",
         "masked reserved_bits unknown_opcode oversized_ping fragmented_ping continuation "
         "interleaved huge_length short_close bad_close_code bad_close_text close eof half_close "
         "reset stall no_pong ping_flood"},
    Area{"origin", "down slow"},
    Area{"service", "refuse slow"},
    Area{"oauth",
         "issuer_without_scheme foreign_issuer no_registration no_s256 foreign_endpoint garbage "
         "huge 500 slow wrong_state no_state wrong_iss error"},
    Area{"oauth_token", "500 slow lost garbage no_refresh_token"},
};

const std::set<std::string>& known_faults() {
  static const std::set<std::string> names = [] {
    std::set<std::string> all;
    for (const Area& area : areas) {
      std::istringstream words(area.faults);
      for (std::string word; words >> word;) all.insert(std::string(area.name) + "." + word);
    }
    return all;
  }();
  return names;
}

Fault parse_parameters(const std::string& name, const json& given) {
  Fault fault;
  for (const auto& [key, value] : given.items()) {
    if (key == "times") {
      fault.times = value.get<long>();
    } else if (key == "seconds") {
      fault.seconds = value.get<double>();
    } else if (key == "code") {
      fault.code = value.get<int>();
    } else if (key == "bytes") {
      fault.bytes = value.get<unsigned long long>();
    } else if (key == "value") {
      fault.value = value.get<std::string>();
    } else {
      throw std::runtime_error("fault " + name + ": unknown parameter " + key);
    }
  }
  return fault;
}

std::optional<Fault> use_up(FaultSet& set, FaultSet::iterator found) {
  const Fault fault = found->second;
  if (found->second.times > 0 && --found->second.times == 0) set.erase(found);
  return fault;
}

}  // namespace

FaultSet parse_faults(const json& given) {
  FaultSet set;
  if (!given.is_object()) throw std::runtime_error("faults: not an object");
  for (const auto& [name, value] : given.items()) {
    if (!known_faults().contains(name)) throw std::runtime_error("unknown fault: " + name);
    Fault fault;
    if (value.is_object()) {
      fault = parse_parameters(name, value);
    } else if (value.is_number_integer()) {
      fault.times = value.get<long>();
    } else if (!value.is_boolean() && !value.is_null()) {
      throw std::runtime_error("fault " + name + ": neither true, a number nor an object");
    }
    const bool off = value.is_null() || value == false || fault.times == 0;
    fault.name = name;
    if (name.ends_with(".slow") && fault.seconds <= 0) fault.seconds = 30;
    if (!off) set[name] = fault;
  }
  return set;
}

json describe(const FaultSet& faults) {
  json all = json::object();
  for (const auto& [name, fault] : faults) {
    json one = json::object();
    if (fault.times > 0) one["times"] = fault.times;
    if (fault.seconds > 0) one["seconds"] = fault.seconds;
    if (fault.code != 0) one["code"] = fault.code;
    if (fault.bytes != 0) one["bytes"] = fault.bytes;
    if (!fault.value.empty()) one["value"] = fault.value;
    all[name] = one.empty() ? json(true) : one;
  }
  return all;
}

std::optional<Fault> FaultBoard::take(const std::string& application, std::string_view name) {
  for (const std::string& scope : {application, std::string()}) {
    FaultSet& set = scopes_[scope];
    if (const auto found = set.find(name); found != set.end()) return use_up(set, found);
  }
  return std::nullopt;
}

std::optional<Fault> FaultBoard::take_area(const std::string& application, std::string_view area) {
  const std::string prefix = std::string(area) + ".";
  for (const std::string& scope : {application, std::string()}) {
    FaultSet& set = scopes_[scope];
    const auto found = set.lower_bound(prefix);
    if (found != set.end() && found->first.starts_with(prefix)) return use_up(set, found);
  }
  return std::nullopt;
}

}  // namespace edge
