// What the edge serves: the configuration, its defaults and how a request finds its application.
#include "config.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "access_config.hpp"
#include "crypto.hpp"
#include "members.hpp"

namespace edge {
namespace {

using nlohmann::json;

constexpr Word<Policy> policies[] = {
    {"identity", Policy::identity},       {"service", Policy::service},
    {"certificate", Policy::certificate}, {"certificate+identity", Policy::certificate_identity},
    {"bypass", Policy::bypass},           {"none", Policy::none}};
constexpr Word<OriginKind> plain_origins[] = {{"page", OriginKind::page},
                                              {"echo", OriginKind::echo},
                                              {"discard", OriginKind::discard},
                                              {"bastion", OriginKind::bastion},
                                              {"script", OriginKind::script}};
constexpr Word<Refusal> refusals[] = {{"403", Refusal::forbidden}, {"login", Refusal::login}};
constexpr Word<CertificateUse> uses[] = {{"first", CertificateUse::first},
                                         {"always", CertificateUse::always}};

Origin parse_origin(const std::string& text) {
  Origin origin;
  origin.text = text;
  for (const auto& word : plain_origins) {
    if (text == word.text) {
      origin.kind = word.value;
      return origin;
    }
  }
  if (text.starts_with("source:")) {
    origin.kind = OriginKind::source;
    origin.bytes = std::stoull(text.substr(7));
    return origin;
  }
  const bool tcp = text.starts_with("tcp:");
  const std::size_t colon = text.rfind(':');
  if ((!tcp && !text.starts_with("http:")) || colon < 5) throw std::runtime_error("not known");
  origin.kind = tcp ? OriginKind::tcp : OriginKind::http;
  origin.host = text.substr(tcp ? 4 : 5, colon - (tcp ? 4 : 5));
  origin.port = static_cast<std::uint16_t>(std::stoul(text.substr(colon + 1)));
  return origin;
}

void read_origin(Members& members, Application& application) {
  std::string text = "page";
  members.read("origin", text);
  try {
    application.origin = parse_origin(text);
  } catch (const std::exception&) {
    members.fail("origin", "not known: " + text);
  }
  members.read("hosts", application.hosts);
  if (const json* script = members.find("script")) {
    if (!script->is_array()) members.fail("script", "not a list of steps");
    application.script = script->dump();
  }
}

void read_identity(Members& members, const Config& config, Application& application) {
  application.email = config.login_email;
  members.read("email", application.email);
  members.read("allow", application.allow);
  members.read("token_lifetime", application.token_lifetime);
  application.session = application.token_lifetime;
  if (const json* session = members.find("session_duration")) {
    if (*session == "no_duration") {
      application.session.reset();
    } else if (session->is_number_integer()) {
      application.session = session->get<long>();
    } else {
      members.fail("session_duration", "neither seconds nor \"no_duration\"");
    }
  }
}

void read_options(Members& members, Application& application) {
  if (const json* given = members.find("certificate")) {
    Members options(*given, application.name + ".certificate");
    options.read("validity", application.certificate.validity);
    options.read("principals", application.certificate.principals);
    options.read("service_principals", application.certificate.service_principals);
    options.read("any_key_type", application.certificate.any_key_type);
    options.end();
  }
  if (const json* given = members.find("websocket")) {
    WebsocketOptions& websocket = application.websocket;
    Members options(*given, application.name + ".websocket");
    options.read("ping_interval", websocket.ping_interval);
    options.read("buffer", websocket.buffer);
    options.read("text", websocket.text);
    options.read("close_code", websocket.close_code);
    options.read("close_reason", websocket.close_reason);
    options.end();
    if (websocket.buffer == 0) options.fail("buffer", "0");
  }
}

ApplicationPointer parse_application(const std::string& name, const json& given,
                                     const Config& config) {
  auto application = std::make_shared<Application>();
  application->name = name;
  Members members(given, "applications." + name);
  members.read("hostname", application->hostname);
  if (application->hostname.empty()) members.fail("hostname", "missing");
  const std::size_t slash = application->hostname.find('/');
  application->host = application->hostname.substr(0, slash);
  if (slash != std::string::npos) application->path = application->hostname.substr(slash);
  application->team = config.team;
  members.read("team", application->team);
  application->aud = hex(sha256(name));
  members.read("aud", application->aud);
  read_word(members, "policy", policies, application->policy);
  application->service_refusal =
      application->policy == Policy::service ? Refusal::forbidden : Refusal::login;
  read_word(members, "service_refusal", refusals, application->service_refusal);
  read_word(members, "certificate_use", uses, application->certificate_use);
  read_origin(members, *application);
  read_identity(members, config, *application);
  read_access(members, *application);
  read_options(members, *application);
  members.read("client_ca", application->client_ca);
  members.read("common_names", application->common_names);
  members.read("binding_cookie", application->binding_cookie);
  members.read("cookie_always", application->cookie_always);
  members.read("app_hostname", application->app_hostname);
  if (const json* faults = members.find("faults")) application->faults = parse_faults(*faults);
  members.end();
  return application;
}

json describe(const Application& application) {
  const SigningOptions& signing = application.certificate;
  const WebsocketOptions& websocket = application.websocket;
  json result = {
      {"hostname", application.hostname},
      {"team", application.team},
      {"aud", application.aud},
      {"origin", application.origin.text},
      {"hosts", application.hosts},
      {"script", application.script.empty() ? json::array() : json::parse(application.script)},
      {"policy", word_for(policies, application.policy)},
      {"email", application.email},
      {"allow", application.allow},
      {"token_lifetime", application.token_lifetime},
      {"session_duration", application.session ? json(*application.session) : json("no_duration")},
      {"service_refusal", word_for(refusals, application.service_refusal)},
      {"client_ca", application.client_ca},
      {"common_names", application.common_names},
      {"certificate_use", word_for(uses, application.certificate_use)},
      {"binding_cookie", application.binding_cookie},
      {"cookie_always", application.cookie_always},
      {"app_hostname", application.app_hostname},
      {"certificate",
       {{"validity", signing.validity},
        {"principals", signing.principals},
        {"service_principals", signing.service_principals},
        {"any_key_type", signing.any_key_type}}},
      {"websocket",
       {{"ping_interval", websocket.ping_interval},
        {"buffer", websocket.buffer},
        {"text", websocket.text},
        {"close_code", websocket.close_code},
        {"close_reason", websocket.close_reason}}},
      {"faults", describe(application.faults)}};
  describe_access(application, result);
  return result;
}

bool covers_host(const Application& application, std::string_view host) {
  if (!application.host.starts_with("*.")) return application.host == host;
  const std::string_view suffix = std::string_view(application.host).substr(1);
  return host.size() > suffix.size() && host.ends_with(suffix);
}

bool covers_path(const Application& application, std::string_view path) {
  const std::string& prefix = application.path;
  if (prefix.empty() || prefix == "/") return true;
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

}  // namespace

ApplicationPointer Config::find(std::string_view host, std::string_view path) const {
  ApplicationPointer best;
  std::size_t best_score = 0;
  for (const auto& [name, application] : applications) {
    if (!covers_host(*application, host) || !covers_path(*application, path)) continue;
    const std::size_t exact = application->host.starts_with('*') ? 0 : 4096;
    const std::size_t score = exact + application->host.size() * 8 + application->path.size() + 1;
    if (score > best_score) {
      best = application;
      best_score = score;
    }
  }
  return best;
}

ApplicationPointer Config::find_host(std::string_view host) const {
  ApplicationPointer any;
  for (const auto& [name, application] : applications) {
    if (!covers_host(*application, host)) continue;
    if (!application->client_ca.empty()) return application;
    any = application;
  }
  return any;
}

ApplicationPointer Config::find_audience(std::string_view aud) const {
  for (const auto& [name, application] : applications) {
    if (application->aud == aud) return application;
  }
  return nullptr;
}

bool Config::has_team(std::string_view name) const {
  return name == team || std::any_of(applications.begin(), applications.end(),
                                     [&](const auto& a) { return a.second->team == name; });
}

Config parse_config(const json& given) {
  Config config;
  Members members(given, "");
  members.read("team", config.team);
  members.read("poll_seconds", config.poll_seconds);
  members.read("org_token_lifetime", config.org_token_lifetime);
  members.read("login_email", config.login_email);
  members.read("auto_login", config.auto_login);
  members.read("clock_skew", config.clock_skew);
  members.read("date_skew", config.date_skew);
  members.read("tickets", config.tickets);
  members.read("client_ca", config.client_ca);
  members.read("log", config.log);
  read_access(members, config);
  std::vector<std::string> versions = {"1.2", "1.3"};
  members.read("tls_versions", versions);
  config.tls12 = std::find(versions.begin(), versions.end(), "1.2") != versions.end();
  config.tls13 = std::find(versions.begin(), versions.end(), "1.3") != versions.end();
  if (!config.tls12 && !config.tls13) members.fail("tls_versions", "neither \"1.2\" nor \"1.3\"");
  if (const json* faults = members.find("faults")) config.faults = parse_faults(*faults);
  if (const json* applications = members.find("applications")) {
    for (const auto& [name, application] : applications->items()) {
      config.applications[name] = parse_application(name, application, config);
    }
  }
  members.end();
  return config;
}

json describe(const Config& config) {
  json applications = json::object();
  for (const auto& [name, application] : config.applications) {
    applications[name] = describe(*application);
  }
  json versions = json::array();
  if (config.tls12) versions.push_back("1.2");
  if (config.tls13) versions.push_back("1.3");
  json result = {{"team", config.team},
                 {"applications", applications},
                 {"faults", describe(config.faults)},
                 {"poll_seconds", config.poll_seconds},
                 {"org_token_lifetime", config.org_token_lifetime},
                 {"login_email", config.login_email},
                 {"auto_login", config.auto_login},
                 {"clock_skew", config.clock_skew},
                 {"date_skew", config.date_skew},
                 {"tls_versions", versions},
                 {"tickets", config.tickets},
                 {"client_ca", config.client_ca},
                 {"log", config.log}};
  describe_access(config, result);
  return result;
}

}  // namespace edge
