/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast support: one text file with all that somebody needs who helps from afar.
 *
 * The bundle is a list of sections: what another command of this program prints, what a program of the machine prints,
 * or a file. A section that fails says so in its place, and the others follow. Everything passes through redact.h,
 * section by section, so that a cut or a strange section cannot hide a secret of the next. The file is plain text, so
 * that its sender can read what leaves. Nothing is sent, and nothing but the bundle is written. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/asprintf.h"
#include "base/format.h"
#include "cli/args.h"
#include "cli/child.h"
#include "cli/fleet/cluster.h"
#include "cli/parts.h"
#include "cli/support/redact.h"
#include "os/file.h"

enum { WORDS = 14, SECTION_MAX = 2 << 20, GATHERED_MAX = 16 << 20, BUNDLE_MAX = 64 << 20, NAME_TEXT = 160 };
#define LIMIT_NS (30 * HF_NS_PER_S)

/* A word "%X" stands for a value: %S state folder, %R run folder, %C agent.yaml, %N namespace, %K the options of the
 * cluster, as many as there are. */
struct section {
    const char *title;
    enum { COMMAND, PROGRAM, CONTENT } kind;
    const char *words[WORDS];
};

static const struct section of_node[] = {
    {"status", COMMAND, {"node", "status", "-o", "yaml", "--state-dir", "%S", "--run-dir", "%R"}},
    {"hold", COMMAND, {"hold", "--state-dir", "%S"}},
    {"journal: check of its chain", COMMAND, {"node", "journal", "--verify", "--state-dir", "%S"}},
    {"journal: last 7 days", COMMAND, {"node", "journal", "--since", "7d", "--state-dir", "%S"}},
    {"configuration", CONTENT, {"%C"}},
    {"state folder", PROGRAM, {"ls", "-ln", "%S"}},
    {"trusted keys", PROGRAM, {"ls", "-ln", HF_CLI_DEFAULT_TRUST_DIR}},
    {"unit", PROGRAM, {"systemctl", "status", "--no-pager", "--full", "--lines", "0", "holdfast-agent.service"}},
    {"log of the unit",
     PROGRAM,
     {"journalctl", "--unit", "holdfast-agent.service", "--no-pager", "--quiet", "--output", "short-iso-precise",
      "--lines", "3000"}},
    {"log of the pod", PROGRAM, {"sh", "-c", "tail -n 3000 /var/log/pods/*_holdfast-agent-*/*/*.log"}},
    {"warnings of the kernel",
     PROGRAM,
     {"journalctl", "--dmesg", "--priority", "warning", "--no-pager", "--quiet", "--lines", "100"}},
    {"clock", PROGRAM, {"timedatectl", "show"}},
    {"disks", PROGRAM, {"df", "-P"}},
    {"mounts", CONTENT, {"/proc/self/mounts"}},
    {"memory", CONTENT, {"/proc/meminfo"}},
    {"load", CONTENT, {"/proc/loadavg"}},
    {"uptime", CONTENT, {"/proc/uptime"}},
    {"addresses", PROGRAM, {"ip", "-brief", "address"}},
    {"routes", PROGRAM, {"ip", "route"}},
    {"name servers", CONTENT, {"/etc/resolv.conf"}},
    {"kernel", CONTENT, {"/proc/version"}},
    {"operating system", CONTENT, {"/etc/os-release"}},
};

static const struct section of_fleet[] = {
    {"rollouts", COMMAND, {"status", "--fleet", "-o", "yaml", "%K"}},
    {"nodes", COMMAND, {"nodes", "-o", "wide", "%K"}},
    {"policies", PROGRAM, {"kubectl", "get", "syncpolicies", "-o", "yaml", "%K"}},
    {"updates", PROGRAM, {"kubectl", "get", "edgeupdates", "-o", "yaml", "%K"}},
    {"reports of the nodes", PROGRAM, {"kubectl", "get", "edgenodes", "-o", "yaml", "%K"}},
    {"workloads", PROGRAM, {"kubectl", "get", "daemonsets,deployments,pods", "-o", "wide", "-n", "%N", "%K"}},
    {"logs of the controllers",
     PROGRAM,
     {"kubectl", "logs", "-l", "app.kubernetes.io/component=controller", "--prefix", "--tail", "2000", "-n", "%N",
      "%K"}},
    {"logs of the agents",
     PROGRAM,
     {"kubectl", "logs", "-l", "app.kubernetes.io/component=agent", "--prefix", "--max-log-requests", "50", "--tail",
      "200", "-n", "%N", "%K"}},
    {"events", PROGRAM, {"kubectl", "get", "events", "--sort-by", ".lastTimestamp", "-n", "%N", "%K"}},
    {"versions", PROGRAM, {"kubectl", "version", "%K"}},
};

const struct hf_cli_option hf_cli_support_options[] = {
    HF_CLI_OPTION("out", "FILE", "the bundle ('-': standard output; holdfast-support-<time>.txt)"),
    HF_CLI_OPTION("state-dir", "DIR", "the agent's state folder (" HF_CLI_DEFAULT_STATE_DIR ")"),
    HF_CLI_OPTION("run-dir", "DIR", "the agent's run folder (" HF_CLI_DEFAULT_RUN_DIR ")"),
    HF_CLI_OPTION("config", "FILE", "the agent's configuration (/etc/holdfast/agent.yaml)"),
    HF_CLI_OPTION("fleet", NULL, "about the cluster, also on a node; kubectl must be there for some sections"),
    HF_CLI_OPTION("namespace", "NAME", "namespace of the controller (holdfast-system)", .letter = 'n'),
    HF_CLUSTER_OPTIONS,
    {.name = NULL},
};

struct support {
    struct hf_cli *cli;
    const struct hf_cli_args *args;
    struct hf_buf text;     /* the bundle */
    struct hf_buf gathered; /* the section, with its secrets */
    unsigned failed;
};

/* ---- the words of a section -------------------------------------------------------------------------------------- */

struct words {
    const char *list[WORDS + 2 * HF_CLI_MAX_OPTIONS + 1];
    char *made[HF_CLI_MAX_OPTIONS];
    size_t n, n_made;
};

static void words_done(struct words *words)
{
    for (size_t i = 0; i < words->n_made; i++)
        free(words->made[i]);
}

/* "--context=NAME" of the command line, for this program and for kubectl, which has options of the same names. */
static int add_cluster_options(const struct support *support, struct words *words)
{
    static const struct hf_cli_option options[] = {HF_CLUSTER_OPTIONS};

    for (size_t i = 0; i < HF_LEN(options); i++) {
        if (!hf_cli_flag(support->args, options[i].name))
            continue;
        const char *value = options[i].value != NULL ? hf_cli_value(support->args, options[i].name, "") : "true";
        char *word = options[i].value != NULL ? hf_asprintf("--%s=%s", options[i].name, value)
                                              : hf_asprintf("--%s", options[i].name);
        if (word == NULL)
            return -ENOMEM;
        words->made[words->n_made++] = word;
        words->list[words->n++] = word;
    }
    return 0;
}

static const char *value_of(const struct support *support, char sign)
{
    switch (sign) {
    case 'S':
        return hf_cli_value(support->args, "state-dir", HF_CLI_DEFAULT_STATE_DIR);
    case 'R':
        return hf_cli_value(support->args, "run-dir", HF_CLI_DEFAULT_RUN_DIR);
    case 'C':
        return hf_cli_value(support->args, "config", "/etc/holdfast/agent.yaml");
    default:
        return hf_cli_value(support->args, "namespace", "holdfast-system");
    }
}

static int make_words(const struct support *support, const struct section *section, struct words *words)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < WORDS && section->words[i] != NULL; i++) {
        const char *word = section->words[i];
        if (strcmp(word, "%K") == 0)
            r = add_cluster_options(support, words);
        else
            words->list[words->n++] = word[0] == '%' ? value_of(support, word[1]) : word;
    }
    return r;
}

/* ---- what a section holds ---------------------------------------------------------------------------------------- */

/* Runs a command of this program in this process. Its exit code says something about the node, and is noted. */
static int gather_command(struct support *support, const struct words *words)
{
    _cleanup_(hf_freep) char *printed = NULL;
    size_t n = 0, used = 0;
    struct hf_cli inner = *support->cli;

    inner.out = open_memstream(&printed, &n);
    if (inner.out == NULL)
        return -ENOMEM;
    inner.err = inner.out;
    inner.terminal = inner.colour = inner.drawing = false;
    const struct hf_cli_command *command = hf_cli_find(&inner, words->list, words->n, &used);
    int code = command != NULL ? hf_cli_run(&inner, command, words->list + used, words->n - used) : HF_EXIT_USAGE;
    if (fclose(inner.out) != 0)
        return -ENOMEM;
    int r = hf_buf_add(&support->gathered, printed, n);
    return r == 0 && code != 0 ? hf_buf_addf(&support->gathered, "(exit code %d)\n", code) : r;
}

static int gather_program(struct support *support, const struct words *words)
{
    const struct hf_cli_child child = {.argv = words->list, .with_errors = true, .limit_ns = LIMIT_NS};
    int status;
    int r = hf_cli_child_run(&child, &support->gathered, &status);

    if (r == 0 && WIFEXITED(status) && WEXITSTATUS(status) != 0)
        r = hf_buf_addf(&support->gathered, "(exit code %d)\n", WEXITSTATUS(status));
    return r;
}

static int gather(struct support *support, const struct section *section)
{
    _cleanup_(words_done) struct words words = {.n = 0};
    struct hf_err err = HF_ERR_INIT;
    int r = make_words(support, section, &words);

    if (r < 0)
        return r;
    switch (section->kind) {
    case COMMAND:
        return gather_command(support, &words);
    case PROGRAM:
        return gather_program(support, &words);
    default:
        return hf_file_read(support->cli->fs, words.list[0], &support->gathered, &err);
    }
}

/* The end of a long section, from the beginning of a line. */
static struct hf_view tail_of(const struct hf_buf *gathered)
{
    struct hf_view text = hf_buf_view(gathered);

    if (text.n <= SECTION_MAX)
        return text;
    const char *from = text.p + text.n - SECTION_MAX;
    const char *line = memchr(from, '\n', SECTION_MAX);
    from = line != NULL ? line + 1 : text.p + text.n;
    return (struct hf_view){.p = from, .n = (size_t)(text.p + text.n - from)};
}

static const char *subject_of(const struct support *support, const struct section *section)
{
    const char *word = section->words[0];

    return word[0] == '%' ? value_of(support, word[1]) : word;
}

static int add_section(struct support *support, const struct section *section)
{
    hf_buf_clear(&support->gathered);
    int failed = gather(support, section);
    struct hf_view text = tail_of(&support->gathered);
    int r = hf_buf_addf(&support->text, "\n==== %s\n", section->title);

    if (r == 0 && text.n < support->gathered.n)
        r = hf_buf_addf(&support->text, "(only the last %zu of %zu bytes)\n", text.n, support->gathered.n);
    if (r == 0)
        r = hf_cli_redact(text, &support->text);
    if (r == 0 && support->text.p[support->text.n - 1] != '\n')
        r = hf_buf_add_str(&support->text, "\n");
    if (r == 0 && failed < 0) {
        support->failed++;
        r = hf_buf_addf(&support->text, "(not gathered: %s: %s)\n", subject_of(support, section), strerror(-failed));
    }
    return r;
}

/* ---- the bundle -------------------------------------------------------------------------------------------------- */

static int write_bundle(struct support *support, const char *path, struct hf_err *err)
{
    struct hf_cli_out out = HF_CLI_OUT_INIT;
    int r = hf_cli_out_open(support->cli, path, 0600, &out, err);

    if (r == 0)
        r = hf_cli_out_write(&out, support->text.p, support->text.n, err);
    if (r == 0)
        r = hf_cli_out_commit(&out, err);
    hf_cli_out_done(&out);
    return r;
}

static int make_bundle(struct support *support, const char *time, struct hf_err *err)
{
    bool fleet = hf_cluster_is_meant(support->args);
    const struct section *sections = fleet ? of_fleet : of_node;
    size_t n = fleet ? HF_LEN(of_fleet) : HF_LEN(of_node);
    char host[HOST_NAME_MAX + 1] = "";

    (void)gethostname(host, sizeof(host) - 1);
    int r = hf_buf_addf(&support->text,
                        "holdfast support: %s '%s', %s, holdfast " HF_VERSION "\n"
                        "Secrets that can be told by their form are left out as [redacted]. Read the text before you "
                        "send it:\nit has names, addresses and versions, and what programs wrote into their logs.\n",
                        fleet ? "the fleet, seen from" : "the node", host, time);
    for (size_t i = 0; r == 0 && i < n; i++) {
        hf_cli_progress(support->cli, sections[i].title, i, n);
        r = add_section(support, &sections[i]);
    }
    hf_cli_progress_end(support->cli);
    return r < 0 ? hf_err_sys(err, r, "gather the bundle") : 0;
}

int hf_cli_support(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    struct support support = {
        .cli = cli, .args = args, .text = HF_BUF_INIT(BUNDLE_MAX), .gathered = HF_BUF_INIT(GATHERED_MAX)};
    char time[HF_TIME_TEXT], name[NAME_TEXT], size[HF_CLI_BYTES_TEXT];

    hf_format_time(hf_unix_ns(cli->clock), time);
    (void)snprintf(name, sizeof(name), "holdfast-support-%s.txt", time);
    const char *path = hf_cli_value(args, "out", name);
    int r = make_bundle(&support, time, err);
    if (r == 0)
        r = write_bundle(&support, path, err);
    if (r == 0 && strcmp(path, "-") != 0)
        (void)fprintf(cli->out, "%s: %s; read it before you send it%s\n", path, hf_cli_bytes(support.text.n, size),
                      support.failed > 0 ? "; what could not be gathered is named in it" : "");
    hf_buf_wipe(&support.gathered);
    hf_buf_done(&support.text);
    return r;
}
