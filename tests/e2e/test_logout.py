"""mayfly logout: what it removes, and what it leaves."""
import os
import shutil
import signal

from harness import programs
from harness.agent_case import KEYS, TEAM_KEYS, TEAM_TOKEN, AgentCase
from harness.case import LOGIN_NEEDED, USAGE
from harness.edge import EMAIL
from harness.keeping_agent import KeepingAgent
from harness.process import run


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
        self.assert_unchanged(before, besides=(*gone, ".mayfly-logout-web.example.com"))
        self.assertEqual(self.home.logout_marks(), [".mayfly-logout-web.example.com"])
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

    def test_nothing_is_stored(self):
        for arguments, said in ((["web.example.com"], "Nothing was stored for web.example.com.\n"),
                                (["--all"], "Nothing was stored.\n")):
            result = self.assert_done(self.logout(*arguments))
            self.assertEqual(result.err, said)
            self.assertFalse(os.path.exists(self.home.state))
        self.home.plant_token("web")
        before = self.home.snapshot()
        self.assertIn("Nothing was stored", self.assert_done(self.logout("example.com")).err)
        self.assert_unchanged(before, besides=[".mayfly-logout-example.com"])

    def test_usage(self):
        self.assert_error(self.home.mayfly("logout"), USAGE, "--all")
        self.assert_error(self.home.mayfly("logout", "--all", "web.example.com"), USAGE)

    def test_login_under_way_keeps_its_lock(self):
        self.home.install_idle_browser()
        running = self.home.start("login", "web.example.com")
        running.wait_err("cdn-cgi/access/cli")
        locks = [n for n in self.home.files() if n.endswith((".lock", ".url"))]
        self.assertTrue(locks)
        running.send(signal.SIGSTOP)
        result = self.assert_done(self.logout("--all"))
        self.assertIn("a login is under way", result.err)
        self.assertEqual(self.home.files(), locks)
        running.kill()
        self.assert_done(self.logout("web.example.com"))
        self.assertEqual([n for n in self.home.files() if n.startswith("web.example.com")], [])
        self.assert_done(self.logout("--all"))
        self.assertEqual(self.home.files(), [])

    def test_file_that_cannot_be_removed_does_not_keep_the_rest(self):
        self.logged_in("web")
        os.unlink(self.home.file("web.example.com-app"))
        os.mkdir(self.home.file(KEYS[0]))
        self.assert_error(self.logout("--all"), 1, KEYS[0])
        self.assertEqual(self.home.files(), [KEYS[0]])

    def test_mark_that_cannot_be_written_is_said_once(self):
        for mark, *arguments in ((".mayfly-logout", "--all"), (".mayfly-logout-web.example.com", "web.example.com")):
            with self.subTest(mark):
                self.fresh()
                self.logged_in("web")
                os.mkdir(self.home.file(mark))
                result = self.assert_error(self.logout(*arguments), 1, mark)
                self.assertEqual(result.err.count(mark), 1, result)
                self.assertNotIn(self.home.token_name("web"), self.home.files())

    def test_logout_from_all_alone_lets_somebody_else_log_in(self):
        """As the hint of a policy's refusal says: the org token that stays is the first person's."""
        self.logged_in("web")
        self.home.install_browser(email="eve@example.com")
        for arguments, email in ((["web.example.com"], EMAIL), (["--all"], "eve@example.com")):
            self.assert_done(self.logout(*arguments))
            self.assert_done(self.home.mayfly("login", "-q", "web.example.com"))
            self.assertEqual({entry["identity"] for entry in self.entries() if entry.get("identity")}, {email})

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
        self.assertIn("removed the certificate of ssh.example.com from ssh-agent\n", result.err)
        self.assertNotIn("mayfly:", self.agent_lists())
        self.assertIn("own", self.agent_lists())

    def test_agent_that_keeps_one_certificate(self):
        self.start_agent()
        self.home.install_browser()
        self.certified("--agent")
        self.assert_done(self.home.mayfly("ssh-gen", "--hostname", "web.example.com", "--agent"))
        first, second = (line.split()[2] for line in self.agent_lists().splitlines())
        keeping = KeepingAgent(self.home.variables["SSH_AUTH_SOCK"], first.encode())
        self.addCleanup(keeping.stop)
        self.home.variables["SSH_AUTH_SOCK"] = keeping.path
        result = self.assert_error(self.logout("--all"), 1, "ssh-agent keeps the certificate of " + first[7:])
        self.assertIn(f"removed the certificate of {second[7:]} from ssh-agent\n", result.err)
        self.assertEqual([line.split()[2] for line in self.agent_lists().splitlines()], [first])

    def test_agent_everything_without_a_state_directory(self):
        self.start_agent()
        self.home.install_browser()
        self.certified("--agent")
        shutil.rmtree(self.home.state)
        self.assert_done(self.logout("--all"))
        self.assertNotIn("mayfly:", self.agent_lists())
