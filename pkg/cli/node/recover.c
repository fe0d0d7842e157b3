/* SPDX-License-Identifier: Apache-2.0 */
/* recover: what this node has of every release, verified, and one put back; without a network.
 *
 * Without an agent the command takes the agent's locks and puts the committed content in place itself. While an agent
 * runs, the agent does that (update/drift.c), and the command waits until the content is right. Neither touches floors
 * or journals. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audit/access.h"
#include "audit/log.h"
#include "base/array.h"
#include "cli/fleet/table.h"
#include "cli/node/recover_release.h"
#include "cli/node/status_seen.h"
#include "cli/parts.h"
#include "cli/plain.h"
#include "config/config.h"
#include "node/facts.h"
#include "os/file.h"
#include "trust/folder.h"
#include "trust/trust.h"

enum { MAX_RELEASES = 1024, GROUP_FILE_MAX = 1 << 20 };

const struct hf_cli_option hf_cli_recover_options[] = {
    HF_CLI_OPTION("put", "NAME", "put the committed content of this release back in place"),
    HF_CLI_OPTION("timeout", "DURATION", "with --put: how long to wait for a running agent (30s)"),
    HF_CLI_OPTION("state-dir", "DIR", "the agent's state folder (" HF_CLI_DEFAULT_STATE_DIR ")"),
    HF_CLI_OPTION("trust-dir", "DIR", "the agent's public keys (" HF_CLI_DEFAULT_TRUST_DIR ")"),
    HF_CLI_OPTION("config", "FILE", "the agent's configuration (/etc/holdfast/agent.yaml)"),
    HF_CLI_OPTION("update-root", "DIR", "as the agent has it, instead of updateRoots", .repeats = true),
    HF_CLI_JSON("print what is found as JSON"),
    {.name = NULL},
};

/* ---- the releases of this node ----------------------------------------------------------------------------------- */

struct release_names {
    char *names[MAX_RELEASES];
    size_t n;
};

static void names_done(struct release_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->names[i]);
}

static int add_name(void *arg, const char *name)
{
    struct release_names *names = arg;

    if (names->n == MAX_RELEASES)
        return 0;
    names->names[names->n] = strdup(name);
    return names->names[names->n] != NULL ? (void)names->n++, 0 : -ENOMEM;
}

static int list_names(const struct hf_recover_node *node, struct release_names *names, struct hf_err *err)
{
    int r = hf_cli_recover_names(node->fs, node->state_dir, add_name, names, err);

    qsort(names->names, names->n, sizeof(names->names[0]), hf_array_by_string);
    return r;
}

/* ---- what is said ------------------------------------------------------------------------------------------------ */

static const char *source_name(enum hf_kept_source source)
{
    static const char *const names[HF_KEPT_SOURCES] = {"", "folder", "copy", "clone", "link", "file"};

    return names[source];
}

static bool is_well(const struct hf_recover_release *release)
{
    bool nothing = release->installed == HF_RECOVER_ABSENT;

    return release->n_damage == 0 && (nothing || (release->installed == HF_RECOVER_RIGHT && release->trusted)) &&
           release->kept.verdict != HF_RECOVER_WRONG && release->kept_previous.verdict != HF_RECOVER_WRONG;
}

static json_t *kept_json(const struct hf_recover_kept *kept)
{
    return json_pack("{s:s, s:s}", "source", source_name(kept->source), "state",
                     hf_cli_recover_verdict_name(kept->verdict));
}

static json_t *release_json(const struct hf_recover_release *release)
{
    const struct hf_edgeupdate *committed = release->committed, *previous = release->previous;
    const struct hf_journal *j = &release->j;
    const char *version = committed != NULL ? committed->release.version : j->good_version;
    uint64_t sequence = committed != NULL ? committed->release.sequence : j->good_sequence;
    json_t *damage = json_array();

    for (size_t i = 0; i < release->n_damage; i++)
        (void)json_array_append_new(damage, hf_cli_json_text(release->damage[i]));
    return json_pack("{s:s, s:s, s:o, s:I, s:{s:s, s:o}, s:o, s:{s:o, s:o}, s:s, s:o}", "name", release->name, "phase",
                     release->has_journal ? hf_phase_name(j->phase) : "Unknown", "version", hf_cli_json_text(version),
                     "sequence", (json_int_t)sequence, "installed", "state",
                     hf_cli_recover_verdict_name(release->installed), "detail", hf_cli_json_text(release->what), "kept",
                     kept_json(&release->kept), "previous", "version",
                     hf_cli_json_text(previous != NULL ? previous->release.version : ""), "kept",
                     kept_json(&release->kept_previous), "signature", release->signature, "damage", damage);
}

/* "copy", "copy:Wrong" */
static const char *kept_text(const json_t *release, const char *source, const char *state, char text[32])
{
    const char *verdict = hf_json_str_or(release, state, "");
    bool plain = strcmp(verdict, "Right") == 0 || strcmp(verdict, "Absent") == 0;

    (void)snprintf(text, 32, "%s%s%s", hf_json_str_or(release, source, ""), plain ? "" : ":", plain ? "" : verdict);
    return text;
}

static int add_row(struct hf_table *table, const json_t *release, struct hf_err *err)
{
    const char *installed = hf_json_str_or(release, "installed.state", "");
    const char *signature = hf_json_str_or(release, "signature", "");
    char sequence[24], kept[32], before[32];
    const enum hf_tint tints[9] = {[4] = strcmp(installed, "Right") == 0    ? HF_TINT_GOOD
                                         : strcmp(installed, "Absent") == 0 ? HF_TINT_NONE
                                                                            : HF_TINT_BAD,
                                   [8] = strcmp(signature, "Valid") == 0 ? HF_TINT_GOOD : HF_TINT_BAD};

    (void)snprintf(sequence, sizeof(sequence), "%lld",
                   (long long)json_integer_value(json_object_get(release, "sequence")));
    const char *const cells[HF_LEN(tints)] = {hf_json_str_or(release, "name", ""),
                                              hf_json_str_or(release, "phase", ""),
                                              hf_json_str_or(release, "version", ""),
                                              sequence,
                                              installed,
                                              kept_text(release, "kept.source", "kept.state", kept),
                                              hf_json_str_or(release, "previous.version", ""),
                                              kept_text(release, "previous.kept.source", "previous.kept.state", before),
                                              signature};
    return hf_table_add(table, cells, tints, err);
}

static int print_text(struct hf_cli *cli, const json_t *found, struct hf_err *err)
{
    static const char *const titles[] = {"RELEASE", "PHASE",    "COMMITTED",     "SEQUENCE", "INSTALLED",
                                         "KEPT",    "PREVIOUS", "PREVIOUS-KEPT", "SIGNATURE"};
    _cleanup_(hf_table_done) struct hf_table table = {.n = 0};
    const json_t *releases = json_object_get(found, "releases"), *release;
    size_t i;
    int r = hf_table_begin(&table, titles, HF_LEN(titles), err);

    json_array_foreach(releases, i, release)
        if (r == 0)
            r = add_row(&table, release, err);
    if (r < 0)
        return r;
    hf_table_print(&table, cli->out, cli->colour);
    json_array_foreach(releases, i, release) {
        const char *name = hf_json_str_or(release, "name", ""),
                   *detail = hf_json_str_or(release, "installed.detail", "");
        if (detail[0] != '\0')
            hf_cli_print_line(cli->out, "%s: installed: %s", name, detail);
        const json_t *damage = json_object_get(release, "damage");
        for (size_t k = 0; k < json_array_size(damage); k++)
            hf_cli_print_line(cli->out, "%s: %s", name, json_string_value(json_array_get(damage, k)));
    }
    hf_cli_print_line(cli->out, "keys: %s", hf_json_str_or(found, "keys", ""));
    hf_cli_print_line(cli->out, "agent: %s", hf_json_str_or(found, "agent", ""));
    return 0;
}

/* The keys that are readable, and what is wrong with the rest of the folder. True: at least one, and nothing wrong. */
static bool describe_keys(const struct hf_recover_node *node, char *text, size_t n)
{
    _cleanup_(hf_buf_done) struct hf_buf problems = HF_BUF_INIT(300);
    struct hf_trust_ids ids;

    (void)hf_trust_describe(node->fs, node->trust_dir, &ids, text, n);
    if (ids.n > 0)
        hf_trust_folder_inspect(node->fs, node->trust_dir, &problems);
    size_t used = strlen(text);
    if (problems.n > 0)
        (void)snprintf(text + used, n - used, "; %s", hf_buf_str(&problems));
    return ids.n > 0 && problems.n == 0;
}

/* Verifies every release, or after --put `only` that one, which is right. Returns an exit code or -errno. */
static int report(struct hf_cli *cli, const struct hf_cli_args *args, const struct hf_recover_node *node,
                  const char *only, struct hf_err *err)
{
    _cleanup_(names_done) struct release_names names = {.n = 0};
    char keys[1024];
    uint64_t since;
    bool runs = hf_cli_see_agent(cli, node->state_dir, &since) == HF_CLI_AGENT_RUNS;
    bool well = describe_keys(node, keys, sizeof(keys)) || only != NULL;
    _cleanup_(hf_json_freep) json_t *found = json_pack("{s:s, s:o, s:[]}", "agent", runs ? "Running" : "Stopped",
                                                       "keys", hf_cli_json_text(keys), "releases");
    int r = found != NULL ? 0 : hf_err_set(err, ENOMEM, "out of memory");

    if (r == 0 && only != NULL)
        r = add_name(&names, only);
    else if (r == 0)
        r = list_names(node, &names, err);

    for (size_t i = 0; r == 0 && i < names.n; i++) {
        _cleanup_(hf_cli_recover_release_done) struct hf_recover_release release;
        r = hf_cli_recover_look(node, names.names[i], &release, err);
        if (r == 0)
            r = hf_cli_append(json_object_get(found, "releases"), release_json(&release), err);
        well = well && r == 0 && (only != NULL || is_well(&release));
    }
    if (r == 0)
        r = hf_cli_flag(args, "json") ? hf_cli_print_json(cli, found, err) : print_text(cli, found, err);
    return r < 0 ? r : well ? HF_EXIT_OK : HF_EXIT_UNWELL;
}

/* ---- putting back ------------------------------------------------------------------------------------------------ */

/* The agent's locks (agent/home.c, update/engine.c). */
struct locks {
    const struct hf_fs_ops *fs;
    int home, updates;
};

static void locks_done(struct locks *locks)
{
    if (locks->updates >= 0)
        (void)locks->fs->close(locks->fs->ctx, locks->updates);
    if (locks->home >= 0)
        (void)locks->fs->close(locks->fs->ctx, locks->home);
}

/* -EWOULDBLOCK: an agent runs. */
static int take_locks(const struct hf_recover_node *node, struct locks *locks, struct hf_err *err)
{
    _cleanup_(hf_freep) char *home = hf_asprintf("%s/agent.lock", node->state_dir);
    _cleanup_(hf_freep) char *updates = hf_asprintf("%s/updates/lock", node->state_dir);

    if (home == NULL || updates == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    locks->home = hf_file_lock(node->fs, home, err);
    if (locks->home >= 0)
        locks->updates = hf_file_lock(node->fs, updates, err);
    return HF_MIN(locks->home, 0) < 0 ? locks->home : HF_MIN(locks->updates, 0);
}

/* 1: the content is right. 0: it is not, and why. */
static int is_right(const struct hf_recover_node *node, const char *name, char what[300], bool *ret_kept,
                    struct hf_err *err)
{
    _cleanup_(hf_cli_recover_release_done) struct hf_recover_release release;
    int r = hf_cli_recover_look(node, name, &release, err);

    (void)snprintf(what, 300, "%s", release.what);
    *ret_kept = release.kept.verdict == HF_RECOVER_RIGHT;
    return r < 0 ? r : release.installed == HF_RECOVER_RIGHT;
}

/* The agent sees by its watches what goes, and puts it back: the command says what came of it. */
static int await_agent(struct hf_cli *cli, const struct hf_recover_node *node, const char *name, uint64_t for_ns,
                       struct hf_err *err)
{
    const struct timespec pause = {.tv_nsec = 250000000};
    uint64_t end_ns = hf_mono_ns(cli->clock) + for_ns;
    char what[300];
    bool kept;
    int r;

    while ((r = is_right(node, name, what, &kept, err)) == 0 && hf_mono_ns(cli->clock) < end_ns)
        (void)nanosleep(&pause, NULL);
    if (r != 0)
        return HF_MIN(r, 0);
    hf_cli_print_line(cli->err, "the agent has not put '%s' back yet (%s): %s; see holdfast status", name, what,
                      kept ? "without an agent this command does it itself"
                           : "this node does not keep the content, so the agent has to fetch it");
    return HF_EXIT_TIMED_OUT;
}

/* The user behind sudo; root can claim any name. */
static const char *who(void)
{
    const char *user = getenv("SUDO_USER");

    return user != NULL && user[0] != '\0' ? user : "root";
}

/* Under the agent's lock the command is the only writer of the journal. */
static int record(struct hf_cli *cli, const struct hf_recover_node *node, const struct hf_recover_release *release,
                  const char *what, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf groups = HF_BUF_INIT(GROUP_FILE_MAX);
    _cleanup_(hf_freep) char *dir = hf_asprintf("%s/" HF_AUDIT_FOLDER, node->state_dir);
    _cleanup_(hf_freep) char *subject = hf_asprintf("update/%s@%s", release->name, release->committed->release.version);
    _cleanup_(hf_freep) char *message = hf_asprintf("%s by holdfast recover, by %s", what, who());
    _cleanup_(hf_audit_log_freep) struct hf_audit_log *log = NULL;
    char boot[HF_FILE_ID];

    if (dir == NULL || subject == NULL || message == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    hf_file_boot_id(node->fs, boot);
    bool known = hf_file_read(node->fs, "/etc/group", &groups, NULL) == 0;
    const struct hf_audit_log_params params = {.fs = node->fs,
                                               .clock = cli->clock,
                                               .dir = dir,
                                               .boot = boot,
                                               .group = known ? hf_audit_group_of(hf_buf_view(&groups), HF_AUDIT_GROUP)
                                                              : HF_AUDIT_NO_GROUP};
    int r = hf_audit_log_open(&params, &log, err);
    if (r < 0)
        return r;
    hf_audit_log_add(log, HF_AUDIT_DRIFT_REPAIRED, subject, "DriftRepaired", message);
    return hf_audit_log_end(log, err);
}

struct putting {
    struct hf_cli *cli;
    const struct hf_recover_node *node;
    struct hf_recover_release release;
    bool begun;
};

static void tell_journal(struct putting *putting, const char *what)
{
    struct hf_err err = HF_ERR_INIT;
    char text[300];

    if (record(putting->cli, putting->node, &putting->release, what, &err) < 0)
        hf_cli_print_line(putting->cli->err, "the journal could not take that '%s' is %s: %s", putting->release.name,
                          what, hf_err_text(&err, text, sizeof(text)));
}

static void begins(void *arg)
{
    struct putting *putting = arg;

    putting->begun = true;
    tell_journal(putting, "put back");
}

static int put_alone(struct hf_cli *cli, const struct hf_recover_node *node, const char *name, struct hf_err *err)
{
    struct putting putting = {.cli = cli, .node = node};
    struct hf_failure failure = {.reason = HF_R_None, .err = HF_ERR_INIT};
    int r = hf_cli_recover_look(node, name, &putting.release, err);

    if (r == 0 && putting.release.installed != HF_RECOVER_RIGHT) {
        r = hf_cli_recover_put(node, &putting.release, begins, &putting, &failure);
        if (r < 0) {
            *err = failure.err;
            r = hf_err_wrap(err, r, "put '%s' back", name);
        }
        if (r < 0 && putting.begun)
            tell_journal(&putting, "not put back");
    }
    hf_cli_recover_release_done(&putting.release);
    return r;
}

static int put(struct hf_cli *cli, const struct hf_recover_node *node, const char *name, uint64_t for_ns,
               struct hf_err *err)
{
    _cleanup_(hf_freep) char *folder = hf_asprintf("%s/updates/%s", node->state_dir, name);
    _cleanup_(locks_done) struct locks locks = {node->fs, -1, -1};
    struct stat st;

    if (!hf_cli_recover_is_name(name))
        return hf_err_set(err, EINVAL, "'%.64s' is no name of a release", name);
    if (folder == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = node->fs->fstatat(node->fs->ctx, AT_FDCWD, folder, &st, AT_SYMLINK_NOFOLLOW);
    if (r < 0)
        return r == -ENOENT ? hf_err_set(err, ENOENT, "this node has no release '%s'", name)
                            : hf_err_sys(err, r, "look for '%s'", folder);
    r = take_locks(node, &locks, err);
    if (r == -EWOULDBLOCK)
        return await_agent(cli, node, name, for_ns, err);
    return r < 0 ? r : put_alone(cli, node, name, err);
}

int hf_cli_recover(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    _cleanup_(hf_config_freep) struct hf_config *config = NULL;
    const char *name = hf_cli_value(args, "put", NULL),
               *path = hf_cli_value(args, "config", "/etc/holdfast/agent.yaml");
    struct hf_recover_node node = {.fs = cli->fs,
                                   .state_dir = hf_cli_value(args, "state-dir", HF_CLI_DEFAULT_STATE_DIR),
                                   .trust_dir = hf_cli_value(args, "trust-dir", HF_CLI_DEFAULT_TRUST_DIR),
                                   .arch = hf_facts_build_arch(),
                                   .uid = geteuid()};
    const char *roots[HF_CLI_MAX_ROOTS + 1] = {NULL};
    uint64_t for_ns;
    int r = hf_cli_duration("timeout", hf_cli_value(args, "timeout", "30s"), &for_ns, err);

    if (r == 0)
        r = hf_cli_update_roots(args, roots, err);
    if (r == 0)
        r = hf_config_load(cli->fs, path, hf_cli_flag(args, "config"), &config, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < hf_config_n_faults(config); i++)
        hf_cli_print_line(cli->err, "%s", hf_config_fault(config, i));
    node.roots = roots[0] != NULL ? roots : hf_config_update_roots(config);
    if (name != NULL)
        r = put(cli, &node, name, for_ns, err);
    if (r != 0)
        return r == -EACCES && node.uid != 0
                   ? hf_err_set(err, EACCES, "only root may recover releases in '%s'", node.state_dir)
                   : r;
    r = report(cli, args, &node, name, err);
    if (r == HF_EXIT_OK && name == NULL && hf_config_n_faults(config) > 0)
        return HF_EXIT_UNWELL;
    return r == -EACCES && node.uid != 0
               ? hf_err_set(err, EACCES, "only root may look at releases in '%s'", node.state_dir)
               : r;
}
