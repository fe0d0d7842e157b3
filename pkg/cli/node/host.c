/* SPDX-License-Identifier: Apache-2.0 */
/* node host: the agent that a pod has installed on this host, and its removal by a person on the node. It asks the
 * files, the programs for their versions, and systemd; never the cluster. So it knows that a DaemonSet is there only by
 * the pod that watches at this moment, and says so. */
#include "cli/node/host.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/child.h"
#include "cli/parts.h"
#include "cli/plain.h"
#include "host/install.h"
#include "host/inventory.h"
#include "loop/loop.h"
#include "mirror/hosts.h"

enum { VERSION = 64, SHOWN = 12 /* of a slot's name */ };

const struct hf_cli_option hf_cli_node_host_options[] = {
    HF_CLI_OPTION("force", NULL,
                  "remove: also while a pod of the DaemonSet watches, which installs again at its next start"),
    HF_CLI_OPTION("state-dir", "DIR", "the agent's state folder (" HF_CLI_DEFAULT_STATE_DIR ")"),
    HF_CLI_JSON("status: print it as JSON"),
    {.name = NULL},
};

/* ---- what is there ----------------------------------------------------------------------------------------------- */

/* As its agent says; "" if it says nothing. */
static const char *version_of(const struct hf_hostlife_place *place, const char *slot, char version[VERSION])
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(256);
    char name[HF_HOST_SLOT + 32], path[PATH_MAX];
    const char *const argv[] = {path, "--version", NULL};
    const struct hf_cli_child child = {.argv = argv, .limit_ns = 5 * HF_NS_PER_S};
    int status = HF_CLI_CHILD_NOT_STARTED;

    version[0] = '\0';
    (void)snprintf(name, sizeof(name), "%s/" HF_HOST_AGENT, slot);
    if (slot[0] == '\0' || hf_hostlife_path(place, name, path)[0] == '\0' ||
        hf_cli_child_run(&child, &text, &status) < 0 || status != 0)
        return version;
    struct hf_view said = hf_view_trim(hf_buf_view(&text)), line, word;
    if (!hf_view_split(&said, '\n', &line))
        return version;
    while (hf_view_split(&line, ' ', &word))
        (void)snprintf(version, VERSION, "%.*s", (int)HF_MIN(word.n, (size_t)VERSION - 1), word.p);
    return version;
}

/* "active" and so on, or why it is not known. */
static void read_unit(const struct hf_hostlife_systemd *systemd, char unit[HF_HOSTLIFE_TEXT])
{
    char active[HF_HOSTLIFE_STATE] = "";
    struct hf_err err = HF_ERR_INIT;
    int r = systemd->state(systemd->ctx, active, &err);

    if (r == 0)
        (void)snprintf(unit, HF_HOSTLIFE_TEXT, "%s", active);
    else if (r == -ENOENT)
        (void)snprintf(unit, HF_HOSTLIFE_TEXT, "not-found");
    else
        (void)hf_err_text(&err, unit, HF_HOSTLIFE_TEXT);
}

struct seen {
    struct hf_hostlife_inventory has;
    char unit[HF_HOSTLIFE_TEXT];
    char version[VERSION], kept[VERSION]; /* of `current`, and of the one to go back to */
    const char *back;                     /* its slot; "": none */
    bool healthy;                         /* the build has been, and the unit is active */
};

static int look(const struct hf_hostlife_place *place, const struct hf_hostlife_systemd *systemd, struct seen *seen,
                struct hf_err *err)
{
    int r = hf_hostlife_inventory(place, &seen->has, err);
    const struct hf_hostlife_inventory *has = &seen->has;

    if (r < 0)
        return r == -EACCES ? hf_err_set(err, EACCES, "only root sees what is below '%s'", place->state_dir) : r;
    read_unit(systemd, seen->unit);
    bool proven = has->current[0] != '\0' && strcmp(has->current, has->good) == 0;
    seen->back = proven ? has->previous : has->good;
    seen->healthy = proven && strcmp(seen->unit, "active") == 0;
    (void)version_of(place, has->current, seen->version);
    (void)version_of(place, seen->back, seen->kept);
    return 0;
}

/* ---- status ------------------------------------------------------------------------------------------------------ */

static const char *shown(const char *slot)
{
    const char *name = strrchr(slot, '/');

    return name != NULL ? name + 1 : slot;
}

static void print_build(struct hf_cli *cli, const char *label, const char *slot, const char *version, const char *more)
{
    hf_cli_print_line(cli->out, "%-10s %s (%.*s)%s", label,
                      version[0] != '\0' ? version : "no version: it does not run", SHOWN, shown(slot), more);
}

static void print(struct hf_cli *cli, const struct seen *seen)
{
    const struct hf_hostlife_inventory *has = &seen->has;
    char trial[128] = "";

    hf_cli_print_line(cli->out, "%-10s %s: %s", "agent", hf_hostlife_reason_name(has->reason),
                      hf_hostlife_reason_message(has->reason));
    hf_cli_print_line(cli->out, "%-10s " HF_HOSTLIFE_UNIT_NAME ": %s", "unit", seen->unit);
    if (strcmp(has->current, has->good) != 0)
        (void)snprintf(trial, sizeof(trial), ", on trial: it has not been healthy yet, and has ended %s times",
                       has->trial.word[0] != '\0' && strcmp(has->trial.slot, has->current) == 0 ? has->trial.word
                                                                                                : "0");
    if (has->current[0] == '\0')
        hf_cli_print_line(cli->out, "%-10s no build", "runs");
    else
        print_build(cli, "runs", has->current, seen->version, trial[0] != '\0' ? trial : ", healthy");
    if (seen->back[0] != '\0')
        print_build(cli, "kept", seen->back, seen->kept, ", which the supervisor goes back to");
    if (has->verdict.word[0] != '\0')
        hf_cli_print_line(cli->out, "%-10s %.*s: %s", "given up", SHOWN, shown(has->verdict.slot), has->verdict.word);
    hf_cli_print_line(cli->out, "%-10s %s", "pod",
                      has->watched ? "of the DaemonSet watches, and renews the token" : "none watches now");
}

static int print_as_json(struct hf_cli *cli, const struct seen *seen, struct hf_err *err)
{
    static const char *const owners[] = {
        [HF_HOSTLIFE_NOBODY] = "None", [HF_HOSTLIFE_A_POD] = "Pod", [HF_HOSTLIFE_ANOTHER] = "Other"};
    const struct hf_hostlife_inventory *has = &seen->has;
    _cleanup_(hf_json_freep) json_t *answer = json_pack(
        "{s:s, s:s, s:o, s:b, s:b, s:{s:s, s:o}, s:{s:s, s:o}, s:{s:s, s:s}, s:s}", "installedBy", owners[has->owner],
        "reason", hf_hostlife_reason_name(has->reason), "unit", hf_cli_json_text(seen->unit), "healthy", seen->healthy,
        "watched", has->watched, "current", "build", has->current, "version", hf_cli_json_text(seen->version), "kept",
        "build", seen->back, "version", hf_cli_json_text(seen->kept), "givenUp", "build", has->verdict.slot, "why",
        has->verdict.word, "supervisor", has->supervisor);

    return answer != NULL ? hf_cli_print_json(cli, answer, err) : hf_err_set(err, ENOMEM, "out of memory");
}

int hf_cli_host_status(struct hf_cli *cli, const struct hf_hostlife_place *place,
                       const struct hf_hostlife_systemd *systemd, bool json, struct hf_err *err)
{
    struct seen seen;
    int r = look(place, systemd, &seen, err);

    if (r == 0 && json)
        r = print_as_json(cli, &seen, err);
    else if (r == 0 && seen.has.owner == HF_HOSTLIFE_A_POD)
        print(cli, &seen);
    else if (r == 0 && seen.has.owner == HF_HOSTLIFE_ANOTHER)
        hf_cli_print_line(cli->out, HF_HOSTLIFE_UNIT_NAME " is here (%s), and no pod has installed it", seen.unit);
    else if (r == 0)
        hf_cli_print_line(cli->out, "no pod has installed an agent on this host%s%s",
                          seen.has.reason != HF_HOSTLIFE_NO_REASON ? ": " : "",
                          hf_hostlife_reason_message(seen.has.reason));
    return r == 0 && seen.has.owner == HF_HOSTLIFE_A_POD && !seen.healthy ? HF_EXIT_UNWELL : r;
}

/* ---- remove ------------------------------------------------------------------------------------------------------ */

int hf_cli_host_remove(struct hf_cli *cli, const struct hf_hostlife_place *place,
                       const struct hf_hostlife_systemd *systemd, bool force, struct hf_err *err)
{
    struct hf_hostlife_inventory has;
    struct hf_mirror_hosts_done hosts;
    int r = hf_hostlife_inventory(place, &has, err);

    if (r == 0 && has.owner == HF_HOSTLIFE_ANOTHER)
        return hf_err_set(err, EOPNOTSUPP,
                          "AlreadyOnHost: no pod has installed the " HF_HOSTLIFE_UNIT_NAME
                          " of this host: remove its package, or what a person installed");
    if (r == 0 && has.owner == HF_HOSTLIFE_NOBODY) {
        hf_cli_print_line(cli->out, "no pod has installed an agent on this host: nothing to remove");
        return 0;
    }
    if (r == 0 && has.watched && !force)
        return hf_err_set(err, EOPNOTSUPP,
                          "DaemonSetWatches: a pod of the DaemonSet watches this host, and would install the agent "
                          "again: set agent.mode=pod (the pod then removes it), keep the DaemonSet from this node, or "
                          "use --force");
    if (r == 0)
        r = hf_hostlife_remove(place, systemd, err);
    if (r == 0)
        r = hf_mirror_hosts_settle(place->fs, "", NULL, NULL, (struct hf_view){NULL, 0}, &hosts, err);
    if (r == -EACCES || r == -EPERM)
        return hf_err_set(err, EACCES, "only root may remove the agent from this host");
    if (r < 0)
        return r;
    hf_cli_print_line(cli->out, "removed: " HF_HOSTLIFE_UNIT_NAME ", its builds and supervisor, the command's link%s",
                      hosts.changed > 0 ? ", containerd's hosts.toml for the mirror of images" : "");
    hf_cli_print_line(cli->out,
                      "left: %s (state, journals, keys), /etc/holdfast, waiting telemetry, and what releases "
                      "have installed, which nobody repairs now",
                      place->state_dir);
    hf_cli_print_line(cli->out, "%s",
                      has.watched ? "the pod acts in its place after a minute, and installs it again "
                                    "at its next start"
                                  : "a pod that a DaemonSet starts here later installs it again");
    return 0;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

int hf_cli_node_host(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    const struct hf_hostlife_place place = {.fs = cli->fs,
                                            .state_dir = hf_cli_value(args, "state-dir", HF_CLI_DEFAULT_STATE_DIR),
                                            .unit_dir = HF_HOSTLIFE_UNIT_DIR,
                                            .image_dir = HF_HOSTLIFE_IMAGE_DIR,
                                            .run_dir = HF_HOSTLIFE_RUN_DIR,
                                            .bin_dir = HF_HOSTLIFE_BIN_DIR};
    const char *word = args->n_words > 0 ? args->words[0] : "status";
    bool removes = strcmp(word, "remove") == 0;

    if (!removes && strcmp(word, "status") != 0)
        return hf_err_set(err, EINVAL, "'%.64s' is neither status nor remove", word);
    if (hf_cli_flag(args, removes ? "json" : "force"))
        return hf_err_set(err, EINVAL, removes ? "--json is for status" : "--force is for remove");
    struct hf_loop *loop = hf_loop_new(err);
    if (loop == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    const struct hf_hostlife_systemd systemd = hf_hostlife_systemd(loop);
    int r = removes ? hf_cli_host_remove(cli, &place, &systemd, hf_cli_flag(args, "force"), err)
                    : hf_cli_host_status(cli, &place, &systemd, hf_cli_flag(args, "json"), err);
    hf_loop_free(loop);
    return r;
}
