#include "access/core/access_path.hpp"

#include <doctest/doctest.h>

#include <string>

namespace mayfly {
namespace {

TEST_CASE("a path of Access is found however it is spelled") {
  for (const char* target : {
           "/cdn-cgi/access",
           "/cdn-cgi/access/",
           "/cdn-cgi/access/cli?token=x",
           "/cdn-cgi/access?x",
           "/cdn-cgi/access/logout",
           "/cdn-cgi/access/get-identity",
           "/cdn-cgi/access/authorized",
           "/cdn-cgi/access/login/host",
           "/CDN-CGI/Access/cli",
           "//cdn-cgi/access/cli",
           "/cdn-cgi//access/cli",
           "/./cdn-cgi/./access/cli",
           "/cdn-cgi/x/../access/cli",
           "/x/../cdn-cgi/access/cli",
           "/../cdn-cgi/access/cli",
           "/x/%2e%2e/cdn-cgi/access/cli",
           "/x/..%2fcdn-cgi/access/cli",
           "/cdn-cgi%2faccess/cli",
           "/%63dn-cgi/access/cli",
           "/%2563dn-cgi/access/cli",
           "/%252563dn-cgi/access/cli",
           "/%%36%33dn-cgi/access/cli",
           "/cdn%2Dcgi/%61%63%63%65%73%73/cli",
           "\\cdn-cgi\\access\\cli",
           "/\\cdn-cgi/access",
           "/cdn-cgi%5caccess/cli",
           "/cdn-cgi;x=1/access;y/cli",
           "/cdn-cgi/access;jsessionid=1",
           "/cdn-cgi/access%3bx/cli",
           "/cdn-cgi/access%3Fx",
           "/cdn-cgi/access#x",
           "/cdn-cgi/access%23",
           "/x%3f/../cdn-cgi/access/cli",
           "/#/cdn-cgi/access/cli",
           "/cdn-cgi/acc%00ess/cli",
           "/cdn-cgi/access%00/cli",
           "/cdn-cgi/access%20/cli",
           "/cdn-cgi/access./cli",
           "/%0acdn-cgi/access",
           "/%09/cdn-cgi/access",
           "/cdn-cgi%c0%afaccess/cli",
           "/cdn-cgi%e0%80%afaccess/cli",
           "/%c0%ae%c0%ae/cdn-cgi/access/cli",
           "/cdn-cgi/%ef%bd%81ccess/cli",
           "/cdn-cgi/acce%c5%bf%c5%bf/cli",
           "/cdn-cgi%u002faccess/cli",
           "//wiki.example.com/cdn-cgi/access/cli",
           "http://wiki.example.com/cdn-cgi/access/cli",
           "/http://wiki.example.com/cdn-cgi/access/cli",
           "/cdn-cgi/image/w=1/https://wiki.example.com/cdn-cgi/access/cli",
           "/cdn-cgi/+access/cli",
           "/cdn-cgi/access%00x",
           "/cdn%C2%ADcgi/access/cli",
           "/cdn-cgi/acc%C2%ADess/cli",
           "/cdn%E2%88%92cgi/access/cli",
           "/x%5cy/../cdn-cgi/access/cli",
           "/x/%252e%252e/cdn-cgi/access/cli",
           "/cdn-cgi/image/w=1/cdn-cgi%2faccess%2fcli",
       })
    CHECK_MESSAGE(may_be_path_of_access(target), target);
}

TEST_CASE("a path of the application, or of another service of Cloudflare, is none of Access") {
  for (const char* target : {
           "/",
           "",
           "/access",
           "/cdn-cgi",
           "/cdn-cgi/",
           "/cdn-cgi/trace",
           "/cdn-cgi/rum?",
           "/cdn-cgi/image/width=80/https://wiki.example.com/a.png",
           "/cdn-cgi/image/fit=cover,width=20/a/b.png",
           "/proxy/https://x/cdn-cgi/rum",
           "/cdn-cgi/image/w=1;h=2/a/../b.png",
           "/cdn-cgi/challenge-platform/scripts/jsd/main.js",
           "/cdn-cgi/image/width=80/access/picture.png",
           "/cdn-cgi/accessories",
           "/cdn-cgi/access-log",
           "/docs/cdn-cgi/access/cli.html",
           "/search?q=/cdn-cgi/access/cli",
           "/search?q=cdn-cgi%2Faccess",
           "/a%20b/%C3%A9/100%25/..%2f..",
           "/a//b/../c;d=1",
       })
    CHECK_MESSAGE(!may_be_path_of_access(target), target);
}

}  // namespace
}  // namespace mayfly
