#include "shims/atoms.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/shims/policy_rows.hpp"

namespace onelane::test {
namespace {

using shims::AtomCall;
using shims::AtomConsent;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

AtomCall read_atoms(std::string_view line, const AtomConsent& consent = {},
                    const MapFacts& facts = {}) {
  const Line words{line};
  return shims::read_atom_call(words.args(), consent, facts);
}

/// The words of `line` that are taken for files.
std::vector<std::string> files_of(std::string_view line) {
  const Line words{line};
  const AtomCall call = shims::read_atom_call(words.args(), {}, MapFacts{});
  EXPECT_EQ(call.refusal, "") << line;
  std::vector<std::string> files;
  for (const std::size_t at : call.files) {
    files.emplace_back(words.args()[at]);
  }
  return files;
}

struct Refused {
  std::string line;
  std::string why;
  bool force_helps;
};

void expect_refused(const std::vector<Refused>& rows) {
  for (const Refused& row : rows) {
    const AtomCall call = read_atoms(row.line);
    EXPECT_THAT(call.refusal, HasSubstr(row.why)) << row.line;
    EXPECT_EQ(call.force_helps, row.force_helps) << row.line;
    EXPECT_EQ(read_atoms(row.line, {false, true}).refusal.empty(), row.force_helps) << row.line;
  }
}

TEST(AtomsTest, EveryToolOfTheTableSplitsItsPlainCommand) {
  for (const std::string line :
       {"black a.py", "eslint a.js", "isort a.py", "jq . a.json", "prettier --check a.js",
        "ruff check a.py", "ruff format a.py", "shellcheck -x a.sh", "xmllint --noout a.xml",
        "yamllint a.yaml"}) {
    const AtomCall call = read_atoms(line);
    EXPECT_EQ(call.refusal, "") << line;
    EXPECT_EQ(call.files.size(), 1U) << line;
  }
}

TEST(AtomsTest, OptionsAndTheirValuesAreNoFiles) {
  EXPECT_THAT(files_of("black -l 100 -t py311 -qS --check src a.py"), ElementsAre("src", "a.py"));
  EXPECT_THAT(files_of("black --line-length=100 src"), ElementsAre("src"));
  EXPECT_THAT(files_of("isort --profile black -c -l100 a.py"), ElementsAre("a.py"));
  EXPECT_THAT(files_of("jq -rc --arg name value --indent 4 .a x.json y.json"),
              ElementsAre("x.json", "y.json"));
  EXPECT_THAT(files_of("jq .a x.json --argjson n 3"), ElementsAre("x.json"));
  EXPECT_THAT(files_of("shellcheck -xe SC1090,SC2034 -Calways -f gcc a b"), ElementsAre("a", "b"));
  EXPECT_THAT(files_of("xmllint -noout --path dtd a.xml"), ElementsAre("a.xml"));
  EXPECT_THAT(files_of("yamllint -d '{extends: default}' ."), ElementsAre("."));
  EXPECT_THAT(files_of("eslint --max-warnings 0 --ext .js,.ts -f unix src"), ElementsAre("src"));
}

TEST(AtomsTest, HostileNamesAreFiles) {
  EXPECT_THAT(files_of("black -- -x.py --check '-'"), ElementsAre("-x.py", "--check", "-"));
  EXPECT_THAT(files_of("black 'a b.py' 'c\nd.py' ''"), ElementsAre("a b.py", "c\nd.py", ""));
  EXPECT_THAT(files_of("jq -- . -x.json"), ElementsAre("-x.json"));
}

TEST(AtomsTest, LaunchersStandBeforeTheTool) {
  for (const std::string line : {"npx --no-install eslint a.js", "uv run ruff check a.py",
                                 "poetry run black a.py", "python3.11 -I -m isort a.py",
                                 "pnpm exec prettier a.js", "node_modules/.bin/eslint a.js"}) {
    const AtomCall call = read_atoms(line);
    EXPECT_EQ(call.refusal, "") << line;
    EXPECT_EQ(call.files.size(), 1U) << line;
  }
  EXPECT_EQ(read_atoms("uv run ruff check a.py").program, 2U);
  EXPECT_EQ(read_atoms("uv run ruff check a.py").options, 4U);
}

TEST(AtomsTest, WhatIsNotInTheTableIsRefusedForGood) {
  for (const std::string line :
       {"mypy src", "tsc -p .", "pre-commit run -a", "tox", "make test", "ruff a.py",
        "ruff rule E1", "python3 tool.py", "python3 -m mypy a.py", "python3 -m py_compile a.py",
        "npx --package x eslint a.js", "codespell src", "npm test", "uv run mypy src", "npx",
        "python3 -m"}) {
    const AtomCall call = read_atoms(line, {true, true});
    EXPECT_EQ(call.tool, nullptr) << line;
    EXPECT_THAT(call.refusal, HasSubstr("may depend on the other files")) << line;
    EXPECT_FALSE(call.force_helps) << line;
  }
}

TEST(AtomsTest, WhatMakesFilesDependOnEachOtherIsRefused) {
  expect_refused({
      {"eslint --max-warnings 5 src", "warnings of all files are counted", true},
      {"eslint --max-warnings=5 src", "warnings of all files are counted", true},
      {"eslint --cache src", "the cache is kept", true},
      {"eslint -o out.txt src", "write over the file", true},
      {"eslint -f json src", "a document of its own", true},
      {"prettier --cache --check .", "the cache is kept", true},
      {"jq -s . a.json", "all inputs are one", true},
      {"jq -rn . a.json", "all inputs are one", true},
      {"jq -e . a.json", "the code is that of the last file", true},
      {"jq '[., input]' a.json", "`input` reads", true},
      {"jq --args . a.json", "not files", true},
      {"jq -f prog.jq a.json", "the program is in a file", true},
      {"ruff check --statistics .", "violations of all files", true},
      {"ruff check --output-format=json .", "a document of its own", true},
      {"ruff check -o report .", "write over the file", true},
      {"shellcheck a.sh b.sh", "without `-x`", true},
      {"shellcheck -x -f checkstyle a.sh", "a document of its own", true},
      {"xmllint --schema s.xsd a.xml", "several kinds", true},
      {"xmllint -o out.xml a.xml", "write over the file", true},
      {"yamllint --strict .", "tells errors from warnings", true},
  });
}

TEST(AtomsTest, WhatIsNotKnownIsRefusedForGood) {
  expect_refused({
      {"black --new-option a.py", "`--new-option` means for black is not known", false},
      {"black -Z a.py", "is not known", false},
      {"isort --chec a.py", "is not known", false},
      {"black -", "standard input", false},
      {"ruff check @files", "file of arguments", false},
      {"black", "no file or directory is named", false},
      {"jq .", "no file or directory is named", false},
  });
}

TEST(AtomsTest, RuffWithoutOperandsGoesThroughTheDirectory) {
  const AtomCall call = read_atoms("ruff check --fix");
  EXPECT_EQ(call.refusal, "");
  EXPECT_THAT(call.files, IsEmpty());
  EXPECT_EQ(call.tool->whole_operand, ".");
}

TEST(AtomsTest, PytestGoesByFileOnRequestOnly) {
  EXPECT_THAT(read_atoms("pytest tests").refusal, HasSubstr("--atoms=pytest-file"));
  EXPECT_THAT(read_atoms("pytest tests", {false, true}).refusal, HasSubstr("--atoms=pytest-file"));
  EXPECT_EQ(read_atoms("pytest -q tests", {true, false}).refusal, "");
  for (const std::string line :
       {"pytest -k name tests", "pytest -m slow tests", "pytest tests/test_a.py::test_b",
        "pytest -n 4 tests", "pytest -n4 tests", "pytest --numprocesses=4 tests",
        "pytest --cov=src tests", "pytest --cov src tests", "pytest -x tests",
        "pytest --maxfail=2 tests", "pytest --lf tests", "pytest --junitxml=a.xml tests",
        "pytest --dist loadfile tests"}) {
    EXPECT_NE(read_atoms(line, {true, false}).refusal, "") << line;
    EXPECT_EQ(read_atoms(line, {true, true}).refusal, "") << line;
  }
}

TEST(AtomsTest, OptionsInTheEnvironmentAreOptions) {
  MapFacts facts;
  facts.variables["SHELLCHECK_OPTS"] = "-f json";
  EXPECT_THAT(read_atoms("shellcheck -x a.sh", {}, facts).refusal, HasSubstr("SHELLCHECK_OPTS"));
  facts.variables["SHELLCHECK_OPTS"] = "";
  EXPECT_EQ(read_atoms("shellcheck -x a.sh", {}, facts).refusal, "");
}

TEST(AtomsTest, NoCommandIsRefused) {
  EXPECT_NE(shims::read_atom_call({}, {}, MapFacts{}).refusal, "");
}

}  // namespace
}  // namespace onelane::test
