#include "multicall/doctor/audit.hpp"

#include <gmock/gmock.h>

#include "multicall/audit/shell_words.hpp"

namespace onelane::multicall::audit {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Tools five() {
  Tools tools;
  tools.linked = {"git", "make", "npm", "pytest", "vitest"};
  tools.adopted = tools.linked;
  return tools;
}

/// The hits in a file with that content.
std::vector<Hit> hits_of(const std::string& file, std::string_view content, const Tools& tools) {
  return hits_in(file, scripts_in(kind_of(file), content), tools);
}

/// The commands as lines "LINE word word".
std::vector<std::string> read(std::string_view script) {
  std::vector<std::string> out;
  for (const Words& command : commands_in(script)) {
    std::string line = std::to_string(command.line);
    for (const std::string& word : command.words) {
      line += "|" + word;
    }
    out.push_back(line);
  }
  return out;
}

TEST(ShellWordsTest, CommandsEndAtSeparatorsAndCommentsAndQuotesAreNone) {
  EXPECT_THAT(read("a 'b c' && d|e; f & # g\nh \"i # j\" k#l"),
              ElementsAre("1|a|b c", "1|d", "1|e", "1|f", "2|h|i # j|k#l"));
}

TEST(ShellWordsTest, ALineThatIsContinuedIsOneCommand) {
  EXPECT_THAT(read("a \\\n  b\nc"), ElementsAre("1|a|b", "3|c"));
}

TEST(ShellWordsTest, SubstitutionsAreCommandsOfTheirOwn) {
  EXPECT_THAT(read("x=$(a b) c\necho \"`d`\" $((1 + 2)) ${e:-f g}"),
              testing::UnorderedElementsAre("1|a|b", "1|x=$()|c", "2|d",
                                            "2|echo|$()|$((1 + 2))|${e:-f g}"));
}

TEST(ShellWordsTest, HereDocumentsAndRedirectionsAreLeftOut) {
  EXPECT_THAT(read("cat <<EOF >out 2>&1\nmake all\nEOF\nb <<-'X' <in\n\tmake\n\tX\nc <<<make"),
              ElementsAre("1|cat", "4|b", "7|c"));
}

TEST(ShellWordsTest, AFunctionsNameIsNoCallOfIt) {
  EXPECT_THAT(read("make() {\n  a\n}\n( b )"), ElementsAre("2|a", "4|b"));
}

TEST(ShellWordsTest, WhateverItIsGivenItEnds) {
  for (const char* text : {"$(", "`", "'", "\"", "${", "<<", "<<X", "$((", "\\", "a\\", "\"$(", ")",
                           "((((", "<(", ">"}) {
    (void)read(text);
  }
  std::string deep;
  for (int i = 0; i < 10'000; ++i) {
    deep += "$(";
  }
  (void)read(deep);
}

struct Row {
  const char* command;
  const char* tool;    ///< nullptr: no detour.
  const char* change;  ///< Not checked when nullptr.
};

constexpr Row kRows[] = {
    // Calls that take the lane, or need none.
    {"make test", nullptr, nullptr},
    {"CI=1 pytest -q", nullptr, nullptr},
    {"exec make", nullptr, nullptr},
    {"./make", nullptr, nullptr},
    {".onelane/bin/make test", nullptr, nullptr},
    {"onelane run -- python -m pytest", nullptr, nullptr},
    {"seq npx vitest run", nullptr, nullptr},
    {"echo npx vitest", nullptr, nullptr},
    {"/usr/bin/git status", nullptr, nullptr},
    {"/usr/bin/git log", nullptr, nullptr},
    {"/usr/bin/make --version", nullptr, nullptr},
    {"python -m venv .venv", nullptr, nullptr},
    {"python -c 'import pytest'", nullptr, nullptr},
    {"python tool.py -m pytest", nullptr, nullptr},
    {"npx prettier --check .", nullptr, nullptr},
    {"uv run python tool.py", nullptr, nullptr},
    {"uv sync", nullptr, nullptr},
    {"yarn dev", nullptr, nullptr},
    {"yarn run start", nullptr, nullptr},
    {"command -v make", nullptr, nullptr},
    {"which make", nullptr, nullptr},
    {"env CI=1 make", nullptr, nullptr},
    {"env -i PATH=\"$PATH\" make", nullptr, nullptr},
    {"sudo env \"PATH=$PATH\" make install", nullptr, nullptr},
    {"sudo apt-get install make", nullptr, nullptr},
    {"PATH=\"$PWD/x:$PATH\" make", nullptr, nullptr},
    {"direnv exec . make", nullptr, nullptr},
    {"$MAKE all", nullptr, nullptr},
    {"[ -x /usr/bin/make ]", nullptr, nullptr},
    {"for tool in make pytest", nullptr, nullptr},
    {"ninja", nullptr, nullptr},
    // Calls that go round it.
    {"/usr/bin/make all", "make", "make all"},
    {"if /usr/bin/make all", "make", "make all"},
    {"python -m pytest -x", "pytest", "pytest -x, or onelane run -- python -m pytest -x"},
    {"python3.11 -X dev -m pytest", "pytest", nullptr},
    {".venv/bin/python -m pytest", "pytest", nullptr},
    {"$PYTHON -m pytest", "pytest", nullptr},
    {"coverage run -m pytest", "pytest", "onelane run -- coverage run -m pytest"},
    {".venv/bin/pytest", "pytest", "pytest"},
    {"$VIRTUAL_ENV/bin/pytest -q", "pytest", "pytest -q"},
    {"./node_modules/.bin/vitest run", "vitest", "vitest run"},
    {"node ./node_modules/vitest/vitest.mjs run", "vitest", nullptr},
    {"npx vitest run", "vitest", "onelane init --tool npx, or onelane run -- npx vitest run"},
    {"npx -y vitest@3 run", "vitest", nullptr},
    {"npx jest", "jest", nullptr},
    {"bunx vitest run", "vitest", nullptr},
    {"pnpm exec vitest run", "vitest", nullptr},
    {"pnpm dlx vitest run", "vitest", nullptr},
    {"pnpm install", "pnpm", "onelane init --tool pnpm"},
    {"yarn", "yarn", "onelane init --tool yarn"},
    {"yarn test", "yarn", nullptr},
    {"yarn run vitest run", "vitest", nullptr},
    {"uv run pytest", "pytest", nullptr},
    {"uv run --with x python -m pytest", "pytest", nullptr},
    {"uvx pytest", "pytest", nullptr},
    {"poetry run pytest", "pytest", nullptr},
    {"pipenv run pytest", "pytest", nullptr},
    {"env -i make", "make", "env -i PATH=\"$PATH\" make"},
    {"sudo make install", "make", "sudo env \"PATH=$PATH\" make install"},
    {"sudo -E -u root make install", "make", nullptr},
    {"command -p make", "make", "make"},
    {"PATH=/usr/bin:/bin make", "make", "make"},
    {"ONELANE=off make all", "make", "make all"},
    {"timeout 5m /usr/bin/make all", "make", nullptr},
    {"xargs -n 1 npx vitest run", "vitest", nullptr},
    {"bash -lc '/usr/bin/make all'", "make", nullptr},
};

TEST(AuditRulesTest, EachCallIsWhatTheTableSays) {
  for (const Row& row : kRows) {
    const auto hits = hits_of("ci/x.sh", row.command, five());
    ASSERT_EQ(hits.size(), row.tool == nullptr ? 0U : 1U) << row.command;
    if (row.tool != nullptr) {
      EXPECT_EQ(hits[0].detour.tool, row.tool) << row.command;
      EXPECT_NE(hits[0].detour.why, "") << row.command;
    }
    if (row.change != nullptr) {
      EXPECT_EQ(hits[0].detour.change, row.change) << row.command;
    }
  }
}

TEST(AuditRulesTest, ARunnerThatIsAdoptedItselfTakesTheLane) {
  Tools tools = five();
  tools.linked.insert({"npx", "uv", "yarn", "python"});
  tools.adopted = tools.linked;
  for (const char* call : {"npx vitest run", "uv run pytest", "yarn test", "python -m pytest"}) {
    EXPECT_THAT(hits_of("ci/x.sh", call, tools), IsEmpty()) << call;
  }
}

TEST(AuditRulesTest, AnAdoptedToolWithoutItsLinkIsNamed) {
  Tools tools = five();
  tools.adopted.insert("cargo");
  const auto hits = hits_of("ci/x.sh", "cargo test", tools);
  ASSERT_EQ(hits.size(), 1U);
  EXPECT_EQ(hits[0].detour.change, "onelane init --tool cargo");
}

/// "LINE TOOL" of every hit.
std::vector<std::string> places(const std::string& file, std::string_view content) {
  std::vector<std::string> out;
  for (const Hit& hit : hits_of(file, content, five())) {
    EXPECT_EQ(hit.file, file);
    out.push_back(std::to_string(hit.line) + " " + hit.detour.tool);
  }
  return out;
}

TEST(AuditSourcesTest, RecipesOfAMakefile) {
  EXPECT_THAT(places("Makefile",
                     "TEST = python -m pytest\n"
                     "test: build\n"
                     "\t@echo 'npx vitest run' # npx vitest run\n"
                     "\t@-$(PYTHON) -m pytest $(ARGS)\n"
                     "\t$(MAKE) -C sub all\n"
                     "\t+for d in a b; do \\\n"
                     "\t  /usr/bin/make -C $$d; \\\n"
                     "\tdone\n"
                     "# \t/usr/bin/make\n"
                     "\t# /usr/bin/make\n"),
              ElementsAre("4 pytest", "7 make"));
}

TEST(AuditSourcesTest, ScriptsOfAPackage) {
  EXPECT_THAT(places("web/package.json",
                     "{\n  \"name\": \"test\",\n  \"scripts\": {\n"
                     "    \"lint\": \"eslint .\",\n"
                     "    \"test\": \"tsc && npx vitest run\",\n"
                     "    \"dev\": \"npx vitest watch\"\n  }\n}\n"),
              ElementsAre("5 vitest"));
  EXPECT_THAT(
      places("package.json",
             "{\n  \"t\": \"other\", // \"t\n  \"x\": [\"t\",\n  \"npx vitest\"],\n"
             "  \"scripts\": {\"a\":\n    \"npx \\\"vitest\\\"\",\n    \"t\"\n: \"npx vitest\"}}"),
      ElementsAre("5 vitest", "7 vitest"));
  EXPECT_THAT(places("package.json", "{ not json"), IsEmpty());
  EXPECT_THAT(places("package.json", "{\"scripts\": [1]}"), IsEmpty());
}

TEST(AuditSourcesTest, StepsOfAWorkflow) {
  EXPECT_THAT(places(".github/workflows/ci.yml",
                     "name: make test\n"
                     "jobs:\n  test:\n    steps:\n"
                     "      - uses: actions/checkout@v4\n"
                     "      - name: npx vitest run\n"
                     "        run: |\n"
                     "          make build\n"
                     "          uv run pytest -q\n"
                     "\n"
                     "          cat <<EOF\n"
                     "          npx vitest run\n"
                     "          EOF\n"
                     "      - run: \"sudo make install\"\n"
                     "      - run: >-\n"
                     "          python\n"
                     "          -m pytest\n"
                     "      - run: pytest # npx vitest run\n"),
              ElementsAre("9 pytest", "14 make", "16 pytest"));
}

TEST(AuditSourcesTest, OtherFilesOfHooksAndCi) {
  EXPECT_THAT(places(".gitlab-ci.yml",
                     "test:\n  before_script: [\"npx vitest run\", 'make']\n"
                     "  script:\n  - python -m pytest\n  - |\n    poetry run pytest\n"
                     "  tags:\n  - /usr/bin/make\n"),
              ElementsAre("2 vitest", "4 pytest", "6 pytest"));
  EXPECT_THAT(places(".pre-commit-config.yaml",
                     "repos:\n- repo: local\n  hooks:\n  - id: t\n    entry: uv run pytest\n"
                     "    language: system\n    files: /usr/bin/make\n"),
              ElementsAre("5 pytest"));
  EXPECT_THAT(places("lefthook.yml", "pre-push:\n  commands:\n    t:\n      run: npx vitest run\n"),
              ElementsAre("4 vitest"));
  EXPECT_THAT(places("Taskfile.yml",
                     "tasks:\n  t:\n    cmds:\n      - npx vitest run\n      - cmd: pytest\n"),
              ElementsAre("4 vitest"));
  EXPECT_THAT(places(".husky/pre-commit", "npm test\nnpx vitest run\n"), ElementsAre("2 vitest"));
  EXPECT_THAT(places("justfile",
                     "test:\n    @npx vitest run\n\npy:\n    #!/usr/bin/env python\n"
                     "    npx vitest run\n"),
              ElementsAre("2 vitest"));
}

TEST(AuditSourcesTest, YamlIsReadAsYamlIs) {
  EXPECT_THAT(
      places(".gitlab-ci.yml",
             ".base: &base\n  script: &lines\n    - npx vitest run\n"
             "a: {script: [\"npx \\\n  vitest\", [make, 'uv run pytest']], tags: [npx jest]}\n"
             "b:\n  <<: *base\n  script: *lines\n  run: &named |\n\n    # make\n    npx jest\n"
             "? run\n: npx jest\n---\nc:\n  run: !tag >2\n     npx jest\n    && npx jest\n"),
      ElementsAre("3 vitest", "4 vitest", "5 pytest", "12 jest", "14 jest", "18 jest", "19 jest"));
}

TEST(AuditSourcesTest, YamlIsReadUpToItsFault) {
  const Scripts scripts = scripts_of_yaml("run: make\nscript: [a\nb: c\n");
  ASSERT_FALSE(scripts.all.empty());
  EXPECT_EQ(scripts.all[0].text, "make");
  EXPECT_THAT(scripts.fault, testing::StartsWith("not YAML: line "));
  EXPECT_EQ(scripts_of_yaml("run: make\n").fault, "");
  for (const char* text : {"", "\t", "- - -\n- ", "a: *b", "&a [*a]", "{", "run: |", "\xff", "%",
                           "run: >\n", "? ? ?", "a: &a [*a, *a]\nrun: *a"}) {
    (void)scripts_of_yaml(text);
  }
  EXPECT_EQ(scripts_of_yaml(std::string(1'000'000, '[')).fault, "is nested too deeply");
  EXPECT_THAT(scripts_of_yaml("run: \xff\n").fault, testing::HasSubstr("byte 5"));
}

TEST(AuditSourcesTest, ToxAndNoxHavePytestsOfTheirOwn) {
  EXPECT_THAT(places("tox.ini",
                     "[testenv]\ndeps = pytest\ncommands =\n    pytest {posargs}\n"
                     "    {envpython} -m pytest\n    make docs\nallowlist_externals = make\n"),
              ElementsAre("4 pytest", "5 pytest"));
  EXPECT_THAT(places("noxfile.py",
                     "import nox\ndef t(session):\n    session.install(\"pytest\")\n"
                     "    session.run(\n        \"pytest\",\n        '-q',\n    )\n"
                     "    # session.run(\"pytest\")\n"
                     "    session.run_always('pytest'); session.run('pytest')\n"
                     "    session.running('pytest')\n"),
              ElementsAre("4 pytest", "9 pytest", "9 pytest"));
}

TEST(AuditSourcesTest, OnlyKnownFilesAreRead) {
  EXPECT_EQ(kind_of("scripts/deep/x.sh"), Kind::Shell);
  EXPECT_EQ(kind_of("x.sh"), Kind::Shell);
  EXPECT_EQ(kind_of("src/x.sh"), Kind::None);
  EXPECT_EQ(kind_of(".github/dependabot.yml"), Kind::None);
  EXPECT_EQ(kind_of("README.md"), Kind::None);
  EXPECT_EQ(kind_of("rules.mk"), Kind::Makefile);
}

}  // namespace
}  // namespace onelane::multicall::audit
