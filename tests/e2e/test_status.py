"""mayfly status and logout, --json of login and token, and the completion of shells."""
import datetime
import json
import os
import shutil
import unittest

from harness import programs
from harness.case import DONE, LOGIN_NEEDED, USAGE, EdgeCase
from harness.edge import EMAIL, USER, claims
from harness.process import Running, run
from harness.terminal import Terminal
from harness.waiting import eventually

NOWHERE = {"MAYFLY_CONNECT_TO": ":443:127.0.0.1:1"}
KEYS = [f"ssh.example.com-cf_key{end}" for end in ("", "-cert.pub", ".pub")]
TEAM_TOKEN = "acme.cloudflareaccess.com-org-token"
TEAM_KEYS = "acme.cloudflareaccess.com-jwks"


def rfc3339(seconds):
    then = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return then.strftime("%Y-%m-%dT%H:%M:%SZ")


class AgentCase(EdgeCase):
    def start_agent(self):
        socket = os.path.join(self.home.path, "agent")
        Running([programs.system("ssh-agent"), "-D", "-a", socket], env=self.home.environment())
        eventually("the agent listens", lambda: os.path.exists(socket))
        self.home.variables["SSH_AUTH_SOCK"] = socket

    def agent_lists(self):
        return run([programs.system("ssh-add"), "-l"], env=self.home.environment()).out.decode()

    def certified(self, *flags):
        self.assert_done(self.home.mayfly("ssh-gen", "--hostname", "ssh.example.com", *flags))

    def status(self, *flags, **more):
        return self.assert_done(self.home.mayfly("status", *flags, env=NOWHERE, **more))

    def entries(self):
        return json.loads(self.status("--json").out)["entries"]

    def logout(self, *arguments):
        result = self.home.mayfly("logout", *arguments, env=NOWHERE)
        self.assertEqual(result.out, b"", result)
        return result


class Status(AgentCase):
    def test_nothing_there(self):
        result = self.status()
        self.assertEqual((result.out, result.err), (b"", f"Nothing is stored in {self.home.state}.\n"))
        result = self.status("--json")
        self.assertEqual(json.loads(result.out), {"directory": self.home.state, "entries": []})
        self.assertFalse(os.path.exists(self.home.state), "a look makes no directory")

    def test_tokens_and_certificates(self):
        token = self.logged_in("web")
        self.certified()
        before, seen = self.home.snapshot(), len(self.edge.log())
        result = self.status()
        self.assertEqual(result.err, "")
        lines = result.out.decode().splitlines()
        self.assertRegex(lines[0], r"^WHAT +IDENTITY +OPENS +ENDS IN$")
        shown = [line.split("  ") for line in lines[1:]]
        shown = [[cell.strip() for cell in row if cell] for row in shown]
        self.assertEqual([row[:3] for row in shown],
                         [["app token", EMAIL, "ssh.example.com"],
                          ["app token", EMAIL, "web.example.com"],
                          ["org token", EMAIL, "acme.cloudflareaccess.com"],
                          ["certificate", USER, "ssh.example.com"]])
        for row in shown:
            self.assertRegex(row[3], r"^\d+ (d|h|min|s)( \d+ (h|min))?$")
        self.assertNotIn(token.split(".")[1], result.out.decode())
        self.assertEqual(len(self.edge.log()), seen)
        self.assert_unchanged(before)

    def test_json(self):
        token = self.logged_in("web")
        self.certified()
        entries = {(e["kind"], e["opens"]): e for e in self.entries()}
        web = entries["app_token", "web.example.com"]
        self.assertEqual((web["expires"], web["state"], web["identity"], web["place"], web["file"]),
                         (rfc3339(claims(token)["exp"]), "valid", EMAIL, "disk",
                          self.home.token_name("web")))
        self.assertGreater(web["seconds_left"], 0)
        self.assertIsNone(web["problem"])
        certificate = entries["certificate", "ssh.example.com"]
        ends = datetime.datetime.strptime(certificate["expires"], "%Y-%m-%dT%H:%M:%SZ")
        listed = run([programs.system("ssh-keygen"), "-L", "-f", self.home.file(KEYS[1])],
                     env=self.home.environment({"TZ": "UTC"})).out.decode()
        self.assertIn(f" to {ends.isoformat()}", listed)
        for entry in entries.values():
            self.assertEqual(set(entry), {"kind", "state", "identity", "opens", "expires",
                                          "seconds_left", "place", "file", "problem"})
            self.assertNotIn(token, json.dumps(entry))

    def test_wildcard_and_path_are_named_as_defined(self):
        self.logged_in("wild", host="a.wild.example.com")
        self.logged_in("path")
        self.assertEqual({e["opens"] for e in self.entries() if e["kind"] == "app_token"},
                         {"*.wild.example.com", "tools.example.com/admin"})

    def test_expired_is_shown_and_kept(self):
        self.home.plant_token("web", expires_in=-5)
        self.certified_expired()
        before = self.home.snapshot()
        self.assertEqual({e["kind"]: e["state"] for e in self.entries()},
                         {"app_token": "expired", "certificate": "expired"})
        lines = self.status().out.decode().splitlines()[1:]
        self.assertTrue(all(line.endswith("  expired") for line in lines), lines)
        self.assert_unchanged(before)

    def certified_expired(self):
        run([programs.system("ssh-keygen"), "-q", "-t", "ecdsa", "-m", "PEM", "-N", "", "-C", "",
             "-f", self.home.file(KEYS[0])], env=self.home.environment())
        self.edge.sign_key(self.home.file(KEYS[2]), "-I", "old", "-n", USER, "-V", "20200101:20200102")

    def test_malformed_is_said_and_not_shown(self):
        for content in ("", "garbage\x1b[2J\n", "x" * 200000, self.edge.mint("app", "echo"),
                        self.edge.mint("app", "web", algorithm="none")):
            with self.subTest(content[:20]):
                self.fresh()
                name = self.home.token_name("web")
                self.home.plant(name, content)
                result = self.status()
                self.assertRegex(result.out.decode(), r"app token +- +web.example.com +malformed\n")
                self.assertIn("mayfly: warning: ", result.err)
                self.assertIn(name[:40], result.err)
                self.assert_printable(result.out.decode() + result.err)
                entry, = self.entries()
                self.assertEqual((entry["state"], entry["expires"]), ("malformed", None))
                self.assertIn(name, entry["problem"])
                if content:
                    self.assertNotIn(content, result.out.decode() + result.err)

    def test_certificate_without_its_key(self):
        self.home.install_browser()
        self.certified()
        os.unlink(self.home.file(KEYS[0]))
        states = {e["kind"]: e["state"] for e in self.entries()}
        self.assertEqual(states["certificate"], "malformed")

    def test_files_of_others_are_not_shown(self):
        for name in ("cert.pem", "config.yml", "my-token", "6f1ad4a2-9d0c-4f6e-8a4b-0c8b5a1e2d3f.json"):
            self.home.plant(name, "something")
        self.assertEqual(self.entries(), [])

    def test_certificates_in_the_agent(self):
        self.start_agent()
        self.home.install_browser()
        self.certified("--agent")
        entry, = [e for e in self.entries() if e["kind"] == "certificate"]
        self.assertEqual((entry["place"], entry["opens"], entry["identity"], entry["file"]),
                         ("agent", "ssh.example.com", USER, None))
        self.assertIn("certificate (agent)", self.status().out.decode())

    def test_agent_that_is_gone(self):
        self.home.plant_token("web")
        self.home.variables["SSH_AUTH_SOCK"] = os.path.join(self.home.path, "nobody")
        result = self.status()
        self.assertIn("web.example.com", result.out.decode())
        self.assertIn("mayfly: warning: ssh-agent", result.err)


class Logout(AgentCase):
    OTHERS = ("cert.pem", "config.yml", "6f1ad4a2-9d0c-4f6e-8a4b-0c8b5a1e2d3f.json", "notes-token",
              "id_ecdsa.pub")

    def plant_others(self):
        for name in self.OTHERS:
            self.home.plant(name, "not ours")

    def test_one_application(self):
        self.logged_in("web")
        self.certified()
        self.plant_others()
        before = self.home.snapshot()
        gone = (self.home.token_name("web"), "web.example.com-app")
        seen = len(self.edge.log())
        result = self.assert_done(self.logout("https://web.example.com/"))
        self.assertIn("removed the token of web.example.com\n", result.err)
        self.assertIn("The token of the team acme.cloudflareaccess.com stays", result.err)
        self.assert_unchanged(before, besides=gone)
        self.assertFalse(set(gone) & set(self.home.files()))
        self.assertEqual(len(self.edge.log()), seen)

    def test_keys_and_certificates_go_with_their_application(self):
        self.logged_in("web")
        self.certified()
        result = self.assert_done(self.logout("ssh.example.com"))
        self.assertIn("removed key and certificate of ssh.example.com\n", result.err)
        self.assertEqual(self.home.files(), sorted([TEAM_KEYS, TEAM_TOKEN, "web.example.com-app",
                                                    self.home.token_name("web")]))

    def test_last_application_of_a_team_takes_its_keys(self):
        self.logged_in("web")
        self.assert_done(self.logout("web.example.com"))
        self.assertEqual(self.home.files(), [TEAM_TOKEN])

    def test_wildcard_by_any_of_its_hosts(self):
        self.logged_in("wild", host="a.wild.example.com")
        self.assert_done(self.logout("a.wild.example.com"))
        self.assertEqual(self.home.files(), [TEAM_TOKEN])

    def test_known_by_the_name_of_its_file_alone(self):
        for application, url in (("web", "web.example.com"), ("path", "tools.example.com/admin")):
            with self.subTest(application):
                self.fresh()
                self.home.plant_token(application)
                self.home.plant_token("echo")
                self.assert_done(self.logout(url))
                self.assertEqual(self.home.files(), [self.home.token_name("echo")])

    def test_all(self):
        self.logged_in("web")
        self.certified()
        self.plant_others()
        self.home.plant(self.home.token_name("echo"), "garbage")
        result = self.assert_done(self.logout("--all"))
        self.assertEqual(self.home.files(), sorted(self.OTHERS))
        self.assertIn("removed the token of the team acme.cloudflareaccess.com\n", result.err)
        self.assertEqual(self.home.mayfly("login", "--batch", "web.example.com").code, LOGIN_NEEDED)

    def test_nothing_there(self):
        for arguments, said in ((["web.example.com"], "Nothing was stored for web.example.com.\n"),
                                (["--all"], "Nothing was stored.\n")):
            result = self.assert_done(self.logout(*arguments))
            self.assertEqual(result.err, said)
            self.assertFalse(os.path.exists(self.home.state))
        self.home.plant_token("web")
        before = self.home.snapshot()
        self.assertIn("Nothing was stored", self.assert_done(self.logout("example.com")).err)
        self.assert_unchanged(before)

    def test_usage(self):
        self.assert_error(self.home.mayfly("logout"), USAGE, "--all")
        self.assert_error(self.home.mayfly("logout", "--all", "web.example.com"), USAGE)

    def test_login_under_way_keeps_its_lock(self):
        self.home.install_idle_browser()
        running = self.home.start("login", "web.example.com")
        running.wait_err("cdn-cgi/access/cli")
        locks = [n for n in self.home.files() if n.endswith((".lock", ".url"))]
        self.assertTrue(locks)
        result = self.assert_done(self.logout("--all"))
        self.assertIn("a login is under way", result.err)
        self.assertEqual(self.home.files(), locks)
        running.kill()
        self.assert_done(self.logout("web.example.com"))
        self.assert_done(self.logout("--all"))
        self.assertEqual(self.home.files(), [])

    def test_what_cannot_be_removed_does_not_keep_the_rest(self):
        self.logged_in("web")
        os.unlink(self.home.file("web.example.com-app"))
        os.mkdir(self.home.file(KEYS[0]))
        self.assert_error(self.logout("--all"), 1, KEYS[0])
        self.assertEqual(self.home.files(), [KEYS[0]])

    def test_agent(self):
        self.start_agent()
        self.home.install_browser()
        self.certified("--agent")
        run([programs.system("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", "own",
             "-f", os.path.join(self.home.path, "own")], env=self.home.environment())
        run([programs.system("ssh-add"), os.path.join(self.home.path, "own")],
            env=self.home.environment())
        self.assert_done(self.logout("web.example.com"))
        self.assertIn("mayfly:ssh.example.com", self.agent_lists())
        result = self.assert_done(self.logout("ssh.example.com"))
        self.assertIn("removed certificates from ssh-agent\n", result.err)
        self.assertNotIn("mayfly:", self.agent_lists())
        self.assertIn("own", self.agent_lists())

    def test_agent_everything_without_a_state_directory(self):
        self.start_agent()
        self.home.install_browser()
        self.certified("--agent")
        shutil.rmtree(self.home.state)
        self.assert_done(self.logout("--all"))
        self.assertNotIn("mayfly:", self.agent_lists())


class Json(EdgeCase):
    def test_login(self):
        self.home.install_browser()
        result = self.assert_done(self.home.mayfly("login", "--json", "web.example.com"))
        token = self.home.text(self.home.token_name("web"))
        self.assertEqual(json.loads(result.out),
                         {"application": "web.example.com", "identity": EMAIL,
                          "expires": rfc3339(claims(token)["exp"])})
        for part in token.split("."):
            self.assertNotIn(part, result.out.decode() + result.err)

    def test_token(self):
        token = self.logged_in("web")
        result = self.assert_done(self.home.mayfly("token", "--json", "web.example.com", env=NOWHERE))
        self.assertEqual(json.loads(result.out),
                         {"token": token, "expires": rfc3339(claims(token)["exp"]),
                          "identity": EMAIL, "audience": self.edge.audience("web")})
        self.assertEqual(result.err, "")

    def test_no_token(self):
        result = self.home.mayfly("token", "--json", "web.example.com")
        self.assertEqual((result.code, result.out), (LOGIN_NEEDED, b""))


class LoggedIn(EdgeCase):
    def login_at_terminal(self, *flags):
        self.home.install_browser()
        terminal = Terminal([programs.mayfly(), "login", *flags, "web.example.com"],
                            env=self.home.environment(), streams=(2,))
        self.addCleanup(terminal.end)
        self.assertEqual(terminal.finish(), DONE, terminal.text)
        return terminal.text

    def test_who_and_until_when(self):
        self.assertRegex(self.login_at_terminal(), rf"logged in as {EMAIL} until (\d{{4}}-\d\d-\d\d )?\d\d:\d\d\n")

    def test_not_when_quiet(self):
        for flag in ("-q", "--json"):
            with self.subTest(flag):
                self.fresh()
                self.assertNotIn("logged in", self.login_at_terminal(flag))

    def test_not_in_a_pipe(self):
        self.home.install_browser()
        result = self.assert_done(self.home.mayfly("login", "web.example.com"))
        self.assertNotIn("logged in as", result.err)


class Completion(EdgeCase):
    def setUp(self):
        super().setUp()
        self.home.plant_token("web")
        self.home.plant_token("path")
        os.symlink(programs.mayfly(), os.path.join(self.home.bin, "mayfly"))

    def script(self, shell):
        path = os.path.join(self.home.path, f"completion.{shell}")
        with open(path, "wb") as file:
            file.write(self.assert_done(self.home.mayfly("completion", shell)).out)
        return path

    def shell(self, name):
        path = shutil.which(name)
        if not path:
            raise unittest.SkipTest(f"{name} is not installed")
        return path

    def complete_in_bash(self, *words):
        """The last word is the one to complete; split as readline splits."""
        text = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
                '_mayfly; printf "%s\\n" "${COMPREPLY[@]}"')
        result = run([self.shell("bash"), "--norc", "-c", text, "bash", self.script("bash"),
                      "mayfly", *words], env=self.home.environment())
        self.assertEqual((result.code, result.err), (0, ""), result)
        return set(result.out.decode().split())

    def test_bash_commands(self):
        commands = self.complete_in_bash("")
        help_text = self.home.mayfly("--help").out.decode()
        listed = {line.split()[0] for line in help_text.splitlines() if line.startswith("  ")
                  and line[2] != " " and not line.strip().startswith("mayfly")}
        self.assertTrue(listed and listed <= commands, (listed, commands))
        self.assertLessEqual({"tcp", "rdp", "smb", "access", "--help"}, commands)
        self.assertEqual(self.complete_in_bash("access", "sta"), {"status"})
        self.assertEqual(self.complete_in_bash("--fedramp", "forward", "logo"), {"logout"})

    def test_bash_flags_are_those_of_the_help(self):
        for command in ("login", "ssh", "tcp", "ssh-gen", "ssh-config", "status", "logout"):
            with self.subTest(command):
                offered = self.complete_in_bash("access", command, "-")
                flag = "--help-all" if "--help-all" in offered else "--help"
                help_text = self.home.mayfly(command, flag).out.decode()
                in_help = {word.strip(",") for line in help_text.splitlines()
                           if line.startswith("  -") for word in line.split()
                           if word.startswith("-") and len(word) > 1}
                in_help = {part for word in in_help for part in word.split(",")}
                self.assertEqual({f for f in offered if f in in_help}, offered, in_help)
                self.assertIn("--help", offered)
        self.assertEqual(self.complete_in_bash("login", "--no-"), {"--no-browser", "--no-verbose"})

    def test_bash_hostnames(self):
        known = {"tools.example.com-admin", "web.example.com"}
        self.assertEqual(self.complete_in_bash("login", ""), known)
        self.assertEqual(self.complete_in_bash("access", "token", "we"), {"web.example.com"})
        self.assertEqual(self.complete_in_bash("ssh", "--hostname", "we"), {"web.example.com"})
        self.assertEqual(self.complete_in_bash("ssh", "-hostname", "=", "we"), {"web.example.com"})
        self.assertEqual(self.complete_in_bash("ssh", "--hostname", "="), known)
        self.assertEqual(self.complete_in_bash("logout", "https", ":", "//we"), {"//web.example.com"})

    def test_hostnames_of_ssh_config(self):
        with open(os.path.join(self.home.path, ".ssh", "config"), "w", encoding="utf-8") as file:
            file.write("Host github.com\n  User git\n"
                       "Host old.example.com\n  ProxyCommand cloudflared access ssh --hostname %h\n")
        self.assert_done(self.home.mayfly("ssh-config", "--hostname", "vm.example.com", "--write"))
        self.assertEqual(self.complete_in_bash("ssh", "--hostname", ""),
                         {"tools.example.com-admin", "web.example.com", "old.example.com", "vm.example.com"})

    def test_bash_values(self):
        self.assertEqual(self.complete_in_bash("ssh-gen", "--key-type", ""), {"ecdsa", "ed25519"})
        self.assertEqual(self.complete_in_bash("completion", "z"), {"zsh"})
        self.assertEqual(self.complete_in_bash("login", "--cert", self.home.path + "/comp"),
                         {self.home.path + "/completion.bash"})
        self.assertEqual(self.complete_in_bash("login", "--log-directory", self.home.path + "/b"),
                         {self.home.path + "/bin"})

    def interactive(self, argv, ready):
        terminal = Terminal(argv, env=self.home.environment({"PS1": "ready> ", "ZDOTDIR": self.home.path}))
        self.addCleanup(terminal.end)
        terminal.type(ready)
        terminal.wait_for(r"loaded-now\b")
        return terminal

    def test_bash_at_a_terminal(self):
        terminal = self.interactive([self.shell("bash"), "--norc", "-i"],
                                    f"source {self.script('bash')}; echo loaded-$(echo now)\n")
        terminal.type("mayfly access logo\t")
        terminal.wait_for("mayfly access logout ")
        terminal.type("we\t")
        terminal.wait_for("logout web.example.com")

    def test_zsh_at_a_terminal(self):
        terminal = self.interactive([self.shell("zsh"), "-f", "-i"],
                                    "autoload -U compinit; compinit -u -D; "
                                    f"source {self.script('zsh')}; echo loaded-$(echo now)\n")
        terminal.type("mayfly access logo\t")
        terminal.wait_for("mayfly access logout ")
        terminal.type("we\t")
        terminal.wait_for("logout web.example.com")
        terminal.type("\x15mayfly ssh-gen --key-type ed\t")
        terminal.wait_for("--key-type ed25519")
        terminal.type("\x15mayfly ssh --hostname=we\t")
        terminal.wait_for("--hostname=web.example.com")

    def test_fish(self):
        fish = self.shell("fish")
        for line, offered in (("mayfly sta", {"status"}), ("mayfly access logo", {"logout"}),
                              ("mayfly token we", {"web.example.com"}),
                              ("mayfly access ssh --hostname we", {"web.example.com"}),
                              ("mayfly ssh-gen --key-type ", {"ecdsa", "ed25519"}),
                              ("mayfly login --no-", {"--no-browser", "--no-verbose"})):
            with self.subTest(line):
                result = run([fish, "--no-config", "-c",
                              f"source {self.script('fish')}; complete -C '{line}'"],
                             env=self.home.environment())
                self.assertEqual(result.code, 0, result)
                self.assertEqual({row.split("\t")[0] for row in result.out.decode().splitlines()},
                                 offered, result)

    def test_usage(self):
        self.assert_error(self.home.mayfly("completion"), USAGE, "bash")
        self.assert_error(self.home.mayfly("completion", "tcsh"), USAGE)

    def test_makes_no_directory(self):
        shutil.rmtree(self.home.state)
        self.assertEqual(self.assert_done(self.home.mayfly("completion", "--hostnames")).out, b"")
        self.assertFalse(os.path.exists(self.home.state))
