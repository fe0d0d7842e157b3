/* SPDX-License-Identifier: Apache-2.0 */
/* The command table as a whole: dispatch, help, exit codes, completion, and the manual page that must keep up with it. */
#include "cli/cli.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/args.h"
#include "os/clock_posix.h"
#include "os/file.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/cli_run.h"

extern char **environ;

static struct cli_run run;

static void setup(void)
{
    cli_begin(&run);
}

static void teardown(void)
{
    cli_end(&run);
}

START_TEST(every_row_is_whole)
{
    const struct hf_cli all = {.commands = hf_cli_commands, .n_commands = hf_cli_n_commands};

    for (size_t i = 0; i < hf_cli_n_commands; i++) {
        const struct hf_cli_command *command = &hf_cli_commands[i];
        const char *const words[] = {command->name};
        size_t used = 0;
        ck_assert(command->name != NULL && command->args != NULL && command->summary != NULL && command->run != NULL);
        ck_assert_uint_ge(command->max_words, command->min_words);
        ck_assert_uint_le(strlen(command->name), 18);
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(hf_cli_commands[k].name, command->name);
        if (strchr(command->name, ' ') == NULL)
            ck_assert_ptr_eq(hf_cli_find(&all, words, 1, &used), command);
        for (const struct hf_cli_option *o = command->options; o != NULL && o->name != NULL; o++) {
            ck_assert_ptr_nonnull(o->help);
            ck_assert_msg(o->value != NULL || (!o->repeats && !o->required), "%s --%s", command->name, o->name);
            for (const struct hf_cli_option *other = command->options; other != o; other++)
                ck_assert(strcmp(other->name, o->name) != 0 && (o->letter == 0 || other->letter != o->letter));
        }
    }
}
END_TEST

START_TEST(help)
{
    ck_assert_int_eq(cli(&run, NULL), HF_EXIT_USAGE);
    ck_assert_ptr_nonnull(strstr(run.err, "usage: holdfast COMMAND"));
    ck_assert_int_eq(cli(&run, "--help", NULL), HF_EXIT_OK);
    for (size_t i = 0; i < hf_cli_n_commands; i++)
        ck_assert_ptr_nonnull(strstr(run.out, hf_cli_commands[i].summary));
    ck_assert_int_eq(cli(&run, "help", "key", NULL), HF_EXIT_OK);
    ck_assert_ptr_nonnull(strstr(run.out, "key generate"));
    ck_assert_ptr_null(strstr(run.out, "release create"));
    ck_assert_int_eq(cli(&run, "release", "--help", NULL), HF_EXIT_OK);
    ck_assert_ptr_nonnull(strstr(run.out, "release sign"));
    ck_assert_int_eq(cli(&run, "key", NULL), HF_EXIT_USAGE);
    ck_assert_ptr_nonnull(strstr(run.err, "key generate"));
    ck_assert_int_eq(cli(&run, "help", "nothing", NULL), HF_EXIT_USAGE);
    /* a name in quotes, as other commands print it */
    ck_assert_int_eq(cli(&run, "help", "node status", NULL), HF_EXIT_OK);
    ck_assert_ptr_nonnull(strstr(run.out, "usage: holdfast node status"));
    ck_assert_int_eq(cli(&run, "help", " node  status ", NULL), HF_EXIT_OK);
    ck_assert_int_eq(cli(&run, "help", "key ", NULL), HF_EXIT_OK);
    ck_assert_ptr_nonnull(strstr(run.out, "key generate"));
    ck_assert_int_eq(cli(&run, "help", "node nothing", NULL), HF_EXIT_USAGE);
    ck_assert_ptr_nonnull(strstr(run.err, "unknown command 'node nothing'"));
    ck_assert_int_eq(cli(&run, "help", "node status", "more", NULL), HF_EXIT_USAGE);
    ck_assert_int_eq(cli(&run, "--version", NULL), HF_EXIT_OK);
    ck_assert_str_eq(run.out, "holdfast " HF_VERSION "\n");
    ck_assert_int_eq(cli(&run, "version", "--json", NULL), HF_EXIT_OK);
    ck_assert_str_eq(run.out, "{\"version\":\"" HF_VERSION "\"}\n");
}
END_TEST

/* Long lines are broken between words. */
static void join_lines(char *text)
{
    char *to = text;

    for (const char *at = text; *at != '\0'; at++)
        if ((*at != ' ' && *at != '\n') || (to > text && to[-1] != ' '))
            *to++ = *at == '\n' ? ' ' : *at;
    *to = '\0';
}

START_TEST(help_of_a_command)
{
    const struct hf_cli_command *command = &hf_cli_commands[_i];
    _cleanup_(hf_freep) char *first = strdup(command->name);
    char *second = strchr(first, ' ');

    if (second != NULL)
        *second++ = '\0';
    ck_assert_int_eq(cli(&run, "help", first, second, NULL), HF_EXIT_OK);
    _cleanup_(hf_freep) char *text = strdup(run.out);
    ck_assert_ptr_nonnull(strstr(text, command->summary));
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
        ck_assert_msg(strcspn(line, "\n") <= 100, "%s", line);
    _cleanup_(hf_freep) char *joined = strdup(text);
    join_lines(joined);
    for (const struct hf_cli_option *o = command->options; o != NULL && o->name != NULL; o++)
        ck_assert_msg(strstr(joined, o->help) != NULL, "%s --%s", command->name, o->name);
    if (second != NULL)
        (void)cli(&run, first, second, "--help", NULL);
    else
        (void)cli(&run, first, "-h", NULL);
    ck_assert_str_eq(run.out, text);
}
END_TEST

static const struct {
    const char *words[3];
    const char *want;
} slips[] = {
    {{"lnit"}, "did you mean 'lint'?"},
    {{"relase", "create"}, "did you mean 'release create'?"},
    {{"release", "craete"}, "usage: holdfast release COMMAND"},
    {{"release", "craete"}, "holdfast: unknown command 'release craete'; did you mean 'release create'?\n"},
    {{"delta", "inof"},
     "holdfast: unknown command 'delta inof'; did you mean 'delta info'?\nusage: holdfast delta COMMAND"},
    {{"spool", "forward"}, "holdfast: unknown command 'spool forward'\nusage: holdfast spool COMMAND"},
    {{"nothing"}, "unknown command 'nothing'\n"},
    {{"lint", "--stirct", "x"}, "did you mean '--strict'?"},
    {{"lint"}, "arguments are missing: FILE..."},
    {{"help", "versoin"}, "did you mean 'version'?"},
    {{"help", "release", "nothing"}, "unknown command 'release nothing'"},
};

START_TEST(slips_are_told)
{
    ck_assert_int_eq(cli(&run, slips[_i].words[0], slips[_i].words[1], slips[_i].words[2], NULL), HF_EXIT_USAGE);
    ck_assert_str_eq(run.out, "");
    ck_assert_msg(strstr(run.err, slips[_i].want) != NULL, "'%s' is not in: %s", slips[_i].want, run.err);
}
END_TEST

START_TEST(too_many_words)
{
    static char word[] = "help";
    char *argv[HF_CLI_MAX_WORDS + 3];
    FILE *nowhere = fopen("/dev/null", "we");
    struct hf_cli process = {.out = nowhere, .err = nowhere, .clock = hf_clock_posix(), .fs = hf_fs_posix()};

    for (size_t i = 0; i < HF_LEN(argv); i++)
        argv[i] = word;
    ck_assert_int_eq(hf_cli_main(&process, (int)HF_LEN(argv), argv), HF_EXIT_USAGE);
    ck_assert_int_eq(hf_cli_main(&process, 0, argv), HF_EXIT_USAGE);
    (void)fclose(nowhere);
}
END_TEST

START_TEST(the_plugin_calls_itself_by_its_name)
{
    static char name[] = "/usr/bin/kubectl-holdfast", word[] = "nothing";
    char *argv[] = {name, word, NULL}, *text = NULL;
    size_t n = 0;
    FILE *err = open_memstream(&text, &n);
    struct hf_cli process = {.out = err, .err = err, .clock = hf_clock_posix(), .fs = hf_fs_posix()};

    ck_assert_int_eq(hf_cli_main(&process, 2, argv), HF_EXIT_USAGE);
    (void)fclose(err);
    ck_assert_ptr_nonnull(strstr(text, "try: kubectl holdfast help"));
    free(text);
}
END_TEST

START_TEST(a_full_disk_behind_standard_output)
{
    static char name[] = "holdfast", word[] = "help";
    char *argv[] = {name, word, NULL};
    FILE *full = fopen("/dev/full", "we"), *nowhere = fopen("/dev/null", "we");
    struct hf_cli process = {.out = full, .err = nowhere, .clock = hf_clock_posix(), .fs = hf_fs_posix()};

    ck_assert_int_eq(hf_cli_main(&process, 2, argv), HF_EXIT_FAILED);
    (void)fclose(full);
    (void)fclose(nowhere);
}
END_TEST

START_TEST(exit_codes)
{
    static const struct {
        int r, want;
    } codes[] = {
        {0, HF_EXIT_OK},
        {-EINVAL, HF_EXIT_USAGE},
        {-EKEYREJECTED, HF_EXIT_REFUSED},
        {-EBADMSG, HF_EXIT_REFUSED},
        {-ESTALE, HF_EXIT_REFUSED},
        {-EOPNOTSUPP, HF_EXIT_REFUSED},
        {-ENOENT, HF_EXIT_FAILED},
        {-EACCES, HF_EXIT_FAILED},
        {-ENOSPC, HF_EXIT_FAILED},
    };

    for (size_t i = 0; i < HF_LEN(codes); i++)
        ck_assert_int_eq(hf_cli_exit_of(codes[i].r), codes[i].want);
}
END_TEST

/* ---- completion --------------------------------------------------------------------------------------------------- */

static int bash(const char *script)
{
    char shell[] = "bash", flag[] = "-c";
    _cleanup_(hf_freep) char *text = strdup(script);
    char *argv[] = {shell, flag, text, NULL};
    int status = -1;
    pid_t pid;

    ck_assert_int_eq(posix_spawnp(&pid, "bash", NULL, NULL, argv, environ), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

START_TEST(bash_completes)
{
    static const struct {
        const char *words, *at, *want;
    } lines[] = {
        {"holdfast ver", "1", "version"},
        {"holdfast release ver", "2", "verify"},
        {"holdfast release verify --tr", "3", "--trust-dir"},
        {"holdfast lint --str", "2", "--strict"},
        {"holdfast completion fi", "2", "fish"},
        {"holdfast help rel", "2", "release"},
        {"holdfast release create --restart-", "3", "--restart-unit --restart-exec"},
    };

    ck_assert_int_eq(cli(&run, "completion", "bash", NULL), HF_EXIT_OK);
    cli_write_text(&run, "completion", run.out);
    for (size_t i = 0; i < HF_LEN(lines); i++) {
        _cleanup_(hf_freep) char *script = hf_asprintf(
            "source %s/completion; COMP_WORDS=(%s); COMP_CWORD=%s; _holdfast; [ \"${COMPREPLY[*]}\" = '%s' ]",
            run.folder, lines[i].words, lines[i].at, lines[i].want);
        ck_assert_msg(bash(script) == 0, "%s", lines[i].words);
    }
}
END_TEST

START_TEST(bash_completes_values)
{
    static const struct {
        const char *words, *at, *want;
    } lines[] = {
        {"holdfast nodes --phase Roll", "3", "RolledBack RollingBack"},
        {"holdfast nodes --phase = Com", "4", "Committed"},
        {"holdfast status --context o", "3", "oslo"},
        {"holdfast nodes --context =", "3", "berlin oslo"},
        {"holdfast node j", "2", "journal"},
        {"holdfast node edge", "2", ""}, /* nobody listens there */
        {"holdfast recover --state-dir . --put ed", "5", "edge-app"},
        {"holdfast rollback --state-dir . --local ed", "5", "edge-app"},
    };

    ck_assert(mkdir(cli_path(&run, "updates"), 0700) == 0 && mkdir(cli_path(&run, "updates/edge-app"), 0700) == 0);
    cli_write_text(&run, "kubeconfig",
                   "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\nusers: [{name: u, user: {}}]\n"
                   "current-context: oslo\n"
                   "contexts: [{name: berlin, context: {cluster: c, user: u}}, "
                   "{name: oslo, context: {cluster: c, user: u}}]\n");
    ck_assert_int_eq(cli(&run, "completion", "bash", NULL), HF_EXIT_OK);
    cli_write_text(&run, "completion", run.out);
    for (size_t i = 0; i < HF_LEN(lines); i++) {
        _cleanup_(hf_freep) char *script =
            hf_asprintf("export KUBECONFIG=%s/kubeconfig PATH=\"$PWD/build/asan:$PATH\"; source %s/completion; cd %s; "
                        "COMP_WORDS=(%s); COMP_CWORD=%s; _holdfast; [ \"${COMPREPLY[*]}\" = '%s' ]",
                        run.folder, run.folder, run.folder, lines[i].words, lines[i].at, lines[i].want);
        ck_assert_msg(bash(script) == 0, "%s", lines[i].words);
    }
}
END_TEST

/* A server that takes the connection and says nothing: TAB gives up by itself, without a word. */
START_TEST(values_of_a_silent_cluster)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert(bind(fd, (struct sockaddr *)&at, n) == 0 && listen(fd, 1) == 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    _cleanup_(hf_freep) char *script = hf_asprintf(
        "out=$(build/asan/holdfast completion values -- node --server http://127.0.0.1:%d '' 2>&1) && [ -z \"$out\" ]",
        ntohs(at.sin_port));
    ck_assert_int_eq(bash(script), 0);
    (void)close(fd);
}
END_TEST

START_TEST(every_shell_knows_every_command)
{
    static const char *const shells[] = {"bash", "zsh", "fish"};

    for (size_t s = 0; s < HF_LEN(shells); s++) {
        ck_assert_int_eq(cli(&run, "completion", shells[s], NULL), HF_EXIT_OK);
        for (size_t i = 0; i < hf_cli_n_commands; i++) {
            const struct hf_cli_command *command = &hf_cli_commands[i];
            const char *last = strrchr(command->name, ' ');
            ck_assert_msg(strstr(run.out, last != NULL ? last + 1 : command->name) != NULL, "%s lacks '%s'", shells[s],
                          command->name);
            for (const struct hf_cli_option *o = command->options; o != NULL && o->name != NULL; o++)
                ck_assert_msg(strstr(run.out, o->name) != NULL, "%s lacks --%s", shells[s], o->name);
        }
    }
    for (const char *const *words = (const char *const[]){" -l help ", "-a 'bash zsh fish'",
                                                          "from help' -f -a 'release ", "-c kubectl-holdfast ", NULL};
         *words != NULL; words++)
        ck_assert_msg(strstr(run.out, *words) != NULL, "fish lacks %s", *words);
    ck_assert_int_eq(cli(&run, "completion", "tcsh", NULL), HF_EXIT_USAGE);
}
END_TEST

/* ---- the manual page ---------------------------------------------------------------------------------------------- */

/* As it stands in the source of a page: dashes are escaped. */
static char *roff(const char *name)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(200);

    ck_assert_int_eq(hf_buf_add_str(&text, "\\-\\-"), 0);
    for (const char *p = name; *p != '\0'; p++)
        ck_assert_int_eq(hf_buf_add_str(&text, *p == '-' ? "\\-" : (const char[]){*p, '\0'}), 0);
    return hf_buf_take(&text);
}

START_TEST(the_manual_knows_every_command)
{
    const struct hf_cli_command *command = &hf_cli_commands[_i];
    _cleanup_(hf_buf_done) struct hf_buf page = HF_BUF_INIT(1 << 20);
    _cleanup_(hf_freep) char *title = hf_asprintf("\n.SS %s", command->name);

    ck_assert_int_eq(hf_file_read(hf_fs_posix(), "cmd/holdfast/holdfast.1", &page, NULL), 0);
    char *section = strstr(page.p, title);
    ck_assert_msg(section != NULL, "holdfast.1 has no section '%s'", command->name);
    char *end = strstr(section + 1, "\n.S");
    ck_assert_ptr_nonnull(end);
    *end = '\0';
    for (const struct hf_cli_option *o = command->options; o != NULL && o->name != NULL; o++) {
        _cleanup_(hf_freep) char *name = roff(o->name);
        ck_assert_msg(strstr(section, name) != NULL, "holdfast.1 lacks --%s of '%s'", o->name, command->name);
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, every_row_is_whole);
    tcase_add_test(tc, help);
    tcase_add_loop_test(tc, help_of_a_command, 0, (int)hf_cli_n_commands);
    tcase_add_loop_test(tc, slips_are_told, 0, (int)HF_LEN(slips));
    tcase_add_test(tc, too_many_words);
    tcase_add_test(tc, the_plugin_calls_itself_by_its_name);
    tcase_add_test(tc, a_full_disk_behind_standard_output);
    tcase_add_test(tc, exit_codes);
    tcase_add_test(tc, bash_completes);
    tcase_add_test(tc, bash_completes_values);
    tcase_add_test(tc, values_of_a_silent_cluster);
    tcase_add_test(tc, every_shell_knows_every_command);
    tcase_add_loop_test(tc, the_manual_knows_every_command, 0, (int)hf_cli_n_commands);
}
HF_TEST_MAIN("cli/cli", cases)
