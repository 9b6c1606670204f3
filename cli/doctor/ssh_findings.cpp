#include "cli/doctor/ssh_findings.hpp"

#include <fmt/core.h>

#include <filesystem>

#include "access/core/text.hpp"
#include "cli/terminal/time_text.hpp"

namespace mayfly::cli::doctor {
namespace {

using std::chrono::sys_seconds;
using Certificate = SshWay::Certificate;

Finding broken(std::string detail, std::string hint) {
  return failed({ErrorKind::failed, std::move(detail), std::move(hint)});
}

std::string shown(const Url& url) {
  return printable(url.authority() + url.path);
}

std::string write_hint(const SshPlaces& places) {
  return fmt::format("run: mayfly ssh-config --hostname {} --short-lived-cert --write",
                     shown(places.url));
}

bool is_access_client(const std::string& program) {
  const std::string name = std::filesystem::path(program).filename().string();
  return name == "mayfly" || name == "cloudflared";
}

bool is_same_application(const Url& url, const std::string& named) {
  try {
    const Url other = parse_url(named);
    return other.host == url.host && other.port == url.port &&
           (other.path == "/" ? "" : other.path) == (url.path == "/" ? "" : url.path);
  } catch (const Error&) {
    return false;
  }
}

Finding judge_no_way(const SshPlaces& places, const SshConfigFacts& facts) {
  const std::string detail =
      fmt::format("{}: no ProxyCommand for {}", facts.answer.version, printable(places.typed));
  return facts.origin == Origin::ssh_server ? warning(detail, write_hint(places))
                                            : not_needed(detail);
}

// The program and where it leads.
std::optional<Finding> judge_command(const SshPlaces& places, const SshConfigFacts& facts) {
  const std::string program = printable(facts.way.program, 300);
  if (facts.program == ProgramState::missing)
    return broken(fmt::format("the ProxyCommand for {} runs {}, which is not there",
                              printable(places.typed), program),
                  write_hint(places));
  if (!is_access_client(facts.way.program))
    return warning(
        fmt::format("ssh goes to {} by {}, not by mayfly", printable(places.typed), program),
        write_hint(places));
  if (facts.way.leads_to && !is_same_application(places.url, *facts.way.leads_to))
    return broken(fmt::format("the ProxyCommand for {} leads to {}", printable(places.typed),
                              printable(*facts.way.leads_to)),
                  "correct HostName and ProxyCommand; ssh -G shows what they come to");
  return std::nullopt;
}

std::optional<Finding> judge_files(const SshPlaces& places, const SshWay& way) {
  if (way.certificate != Certificate::disk) return std::nullopt;
  const std::string kept =
      printable(places.state_directory + "/" + sshgen::key_files(places.url).certificate, 300);
  if (!way.reads_certificate)
    return broken(way.other_certificate.empty()
                      ? fmt::format("no CertificateFile names {}", kept)
                      : fmt::format("ssh reads the certificate {}, but ssh-gen keeps it as {}",
                                    printable(way.other_certificate, 300), kept),
                  write_hint(places) + "; MAYFLY_HOME has to be the same as then");
  if (!way.reads_key)
    return broken("no IdentityFile names the key of the certificate", write_hint(places));
  if (!way.renews)
    return warning("nothing renews the certificate: no Match exec runs ssh-gen",
                   write_hint(places));
  return std::nullopt;
}

std::string_view certificate_text(Certificate certificate) {
  switch (certificate) {
    case Certificate::disk:
      return "short-lived certificate on disk";
    case Certificate::agent:
      return "short-lived certificate in the agent";
    case Certificate::none:
      break;
  }
  return "no short-lived certificate";
}

std::string principals_text(const sshgen::Certificate& certificate) {
  std::string all;
  for (const std::string& one : certificate.principals)
    all += (all.empty() ? "" : ", ") + printable(one);
  return all;
}

std::string lasting(const sshgen::Certificate& certificate, sys_seconds now) {
  return fmt::format("for {}, ends in {}", principals_text(certificate),
                     duration_text(certificate.remaining_at(now)));
}

}  // namespace

Finding judge_ssh_config(const SshPlaces& places, const SshConfigFacts& facts) {
  if (facts.answer.version.empty()) return not_needed("ssh is not installed");
  if (!facts.answer.settings)
    return broken(
        "ssh cannot read its configuration: " + facts.answer.complaint,
        fmt::format("mend that file; ssh -G {} tells whether it is read", printable(places.typed)));
  if (facts.way.program.empty()) return judge_no_way(places, facts);
  if (auto finding = judge_command(places, facts)) return *finding;
  if (auto finding = judge_files(places, facts.way)) return *finding;
  return well(fmt::format("{}: ProxyCommand {}, {}", facts.answer.version,
                          printable(facts.way.program, 300),
                          certificate_text(facts.way.certificate)));
}

Finding judge_ssh_certificate(const Url& url, const SshWay& way, const sshgen::OnDisk& on_disk,
                              sys_seconds now) {
  using State = sshgen::OnDisk::State;
  if (way.certificate == Certificate::agent) return not_needed("it is kept in the agent");
  const std::string renew = fmt::format("run: mayfly ssh-gen --hostname {}", shown(url));
  switch (on_disk.state) {
    case State::valid:
      return well(lasting(*on_disk.certificate, now));
    case State::mismatched:
      return way.renews
                 ? not_needed("its files do not belong together; the next ssh makes new ones")
                 : warning("its files do not belong together", renew);
    case State::ended:
      return way.renews ? not_needed("the last one has ended; the next ssh makes a new one")
             : way.reads_certificate ? warning("it has ended, and ssh does not renew it", renew)
                                     : not_needed("the last one has ended, and ssh uses none");
    case State::absent:
      break;
  }
  if (way.renews) return not_needed("there is none yet; the next ssh makes one");
  return way.reads_certificate ? warning("ssh wants one, and there is none", renew)
                               : not_needed("ssh uses none for this host");
}

Finding judge_agent(const SshWay& way, const AgentFacts& facts, sys_seconds now) {
  const bool is_wanted = way.certificate == Certificate::agent;
  if (!facts.is_named)
    return is_wanted ? broken("SSH_AUTH_SOCK names no agent, and ssh-gen --agent needs one",
                              "start one with: eval \"$(ssh-agent)\"")
                     : not_needed("SSH_AUTH_SOCK names none");
  if (facts.error && is_wanted) return failed(*facts.error);
  if (facts.error)
    return warning(facts.error->message() + "; ssh does without", facts.error->hint());
  const std::string keys = fmt::format("{} key{}", facts.keys, facts.keys == 1 ? "" : "s");
  if (facts.ours)
    return well(fmt::format("{}, with the certificate {}", keys, lasting(*facts.ours, now)));
  return well(fmt::format(
      "{}, {}", keys,
      is_wanted ? "no certificate yet; the next ssh makes one" : "none of mayfly's for this host"));
}

}  // namespace mayfly::cli::doctor
