"""Proxies that ask for a login: a real squid, with a real KDC for Kerberos."""
import hashlib
import os

from harness import programs
from harness.case import NETWORK
from harness.kerberos import REALM, Realm
from harness.listener import ListenerCase
from harness.process import PIPE
from harness.squid import HELPERS, Squid
from harness.waiting import eventually

NEGOTIATE = f"""
auth_param negotiate program {HELPERS}/negotiate_kerberos_auth -k KEYTAB -s HTTP/localhost@{REALM}
auth_param negotiate children 2
"""
NTLM = f"""
auth_param ntlm program {HELPERS}/ntlm_fake_auth
auth_param ntlm children 2
"""
DIGEST = f"""
auth_param digest program {HELPERS}/digest_file_auth -c DIRECTORY/passwords
auth_param digest realm squid
auth_param digest children 2
"""


class Logins(ListenerCase):
    """What a proxy may ask for, by requests and by tunnels."""

    def squid(self, logins, **more):
        squid = Squid(logins, **more)
        self.addCleanup(squid.stop)
        return squid

    def realm(self):
        realm = Realm("HTTP/localhost")
        self.addCleanup(realm.stop)
        return realm, self.squid(NEGOTIATE.replace("KEYTAB", realm.keytab), environment=realm.environment)

    def assert_goes_through(self, squid, user, proxy, env=None):
        """Checks one command's requests, a tunnel of a command and two of a listener."""
        env = {"HTTPS_PROXY": proxy, **(env or {})}
        self.fresh()
        self.know("echo")
        os.unlink(self.home.file(next(name for name in self.home.files() if name.endswith("-app"))))
        self.assert_done(self.home.mayfly("login", "--batch", "-q", "echo.example.com", env=env))
        eventually("squid has noted the requests", squid.users)
        running = self.home.start("tcp", "echo.example.com", env=env, stdin=PIPE)
        running.write(b"through")
        eventually("the tunnel echoes", lambda: running.has_ended() or bytes(running.out) == b"through")
        running.kill()
        self.assertEqual(bytes(running.out), b"through", running.err)
        before = len(squid.users())
        running, port = self.at_free_port(env=env)
        for _ in range(2):
            self.assert_echo(self.connect(port)).close()
        running.kill()
        eventually("squid has noted the listener's tunnels", lambda: len(squid.users()) >= before + 2)
        self.assertEqual({name for name in squid.users() if user not in name}, set())

    def test_kerberos(self):
        realm, squid = self.realm()
        proxy = f"http://localhost:{squid.port}"
        env = {"HTTPS_PROXY": proxy, **realm.environment}
        self.assert_error(self.home.mayfly("tcp", "echo.example.com", env=env), NETWORK, "Kerberos ticket", "407",
                          "kinit")
        realm.log_in()
        self.assert_goes_through(squid, f"alice@{REALM}", proxy, realm.environment)

    def test_ntlm(self):
        """The helper takes any password, and writes other characters around the name."""
        squid = self.squid(NTLM)
        proxy = f"http://alice:s3cret@localhost:{squid.port}"
        self.assert_goes_through(squid, "alice", proxy)

    def test_digest_goes_before_basic(self):
        """The password itself stays on this computer."""
        password = hashlib.md5(b"alice:squid:s3cret").hexdigest()
        basic = f"auth_param basic program {programs.system('false')}\n"
        squid = self.squid(DIGEST + basic, files={"passwords": f"alice:squid:{password}\n"})
        self.assert_goes_through(squid, "alice", f"http://alice:s3cret@localhost:{squid.port}")
        wrong = {"HTTPS_PROXY": f"http://alice:wr0ng@localhost:{squid.port}"}
        result = self.home.mayfly("tcp", "echo.example.com", env=wrong)
        self.assert_error(result, NETWORK, "does not accept the user name and password")
        self.assertNotIn("wr0ng", result.err)
