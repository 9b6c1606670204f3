"""Checks that debian/control names the packages that the build and the program need: packages.py SOURCE-ROOT"""
import os
import re
import subprocess
import sys
import unittest


def read(*place):
    with open(os.path.join(ROOT, *place), encoding="utf-8") as file:
        return file.read()


def field(name):
    """Returns the packages in a field of debian/control."""
    value = re.search(rf"^{name}:(.*\n(?:[ #].*\n)*)", read("debian", "control"), re.M)[1]
    return set(re.findall(r"^ ?([a-z0-9][a-z0-9+.-]+)(?: \(.*\))?,?$", value, re.M))


def loaded_libraries():
    """Returns the packages of the libraries that the sources load on demand (named by Debian policy, section 8.1)."""
    found = subprocess.run(["grep", "-rhoE", "--include=*.cpp", r'"lib[a-z0-9-]+\.so\.[0-9]+"', "access", "cli"], cwd=ROOT,
                           capture_output=True, text=True, check=True).stdout
    names = re.findall(r'"(lib[a-z0-9-]+)\.so\.(\d+)"', found)
    return {name + ("-" if name[-1].isdigit() else "") + number for name, number in names}


class Control(unittest.TestCase):
    def test_build_dependencies(self):
        section = re.search(r"^# Build\n(.*?)\n\n", read("tools", "packages"), re.M | re.S)[1]
        there_anyway = {"ninja-build", "g++"}  # Packages of meson and of build-essential.
        self.assertEqual(field("Build-Depends") - {"debhelper-compat"}, set(section.split()) - there_anyway)

    def test_dependencies_loaded_on_demand(self):
        libraries = loaded_libraries()
        self.assertGreater(len(libraries), 2)
        self.assertLessEqual(libraries, field("Depends") | field("Recommends"))


if __name__ == "__main__":
    ROOT = sys.argv.pop(1)
    unittest.main()
