/* SPDX-License-Identifier: Apache-2.0 */
/* status: the last status of this node's agent and its age, from the agent's run folder and state folder. Works
 * offline and without a running agent. On a machine without an agent, or with an option that names a cluster: the
 * rollouts of the fleet (cli/fleet/fleet_status.h).
 *
 * <run>/status.json has every status, in memory. <state>/status/EdgeNode-<node>.json exists if the agent works from
 * a folder (--source), <state>/outbox.json while the agent cannot deliver its status. The newest counts. Without any
 * of them, as after a reboot with everything delivered, the journals tell the state (cli/node/status_local.h). */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/fleet/cluster.h"
#include "cli/fleet/fleet_status.h"
#include "cli/fleet/node_view.h"
#include "cli/fleet/output.h"
#include "cli/node/hold_seen.h"
#include "cli/node/status_local.h"
#include "cli/node/status_print.h"
#include "cli/node/status_seen.h"
#include "cli/parts.h"
#include "cli/plain.h"
#include "codec/plain.h"
#include "os/file.h"

const struct hf_cli_option hf_cli_status_options[] = {
    HF_CLI_OPTION("state-dir", "DIR", "the agent's state folder (" HF_CLI_DEFAULT_STATE_DIR ")"),
    HF_CLI_OPTION("run-dir", "DIR", "the agent's run folder (" HF_CLI_DEFAULT_RUN_DIR ")"),
    HF_CLI_OPTION("fleet", NULL, "show the rollouts of the cluster, also on a node"),
    HF_OUTPUT_OPTIONS,
    HF_CLUSTER_OPTIONS,
    {.name = NULL},
};

const struct hf_cli_option hf_cli_node_status_options[] = {
    HF_CLI_OPTION("state-dir", "DIR", "the agent's state folder (" HF_CLI_DEFAULT_STATE_DIR ")"),
    HF_CLI_OPTION("run-dir", "DIR", "the agent's run folder (" HF_CLI_DEFAULT_RUN_DIR ")"),
    HF_OUTPUT_OPTIONS,
    {.name = NULL},
};

enum { MAX_STATUS_BYTES = 1 << 20 };

static int read_json(struct hf_cli *cli, const char *path, json_t **ret_json, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_STATUS_BYTES);
    int r = hf_file_read(cli->fs, path, &text, err);

    if (r == 0)
        r = hf_json_parse(hf_buf_view(&text), NULL, ret_json, err);
    if (r == -EACCES)
        return hf_err_set(err, EACCES, "status '%s': only root may read it", path);
    if (r == -EINVAL) /* not a regular file; -EINVAL would blame the command line */
        r = -EBADMSG;
    return r < 0 && r != -ENOENT ? hf_err_wrap(err, r, "status '%s'", path) : r;
}

struct status_dirs {
    const char *state;
    const char *run;    /* NULL: no run folder for this state folder */
    const char *advice; /* ends the error that there is no status */
};

static struct status_dirs dirs_of(const struct hf_cli_args *args, const char *advice)
{
    const char *state = hf_cli_value(args, "state-dir", HF_CLI_DEFAULT_STATE_DIR);
    bool usual = strcmp(state, HF_CLI_DEFAULT_STATE_DIR) == 0;

    return (struct status_dirs){state, hf_cli_value(args, "run-dir", usual ? HF_CLI_DEFAULT_RUN_DIR : NULL), advice};
}

/* The newest status so far, and the first error. A file that cannot be read hides no other file. */
struct newest {
    struct hf_cli *cli;
    json_t *node;
    int r;
    struct hf_err err;
};

static void warn(struct hf_cli *cli, const struct hf_err *err)
{
    hf_cli_print_line(cli->err, "warning: %s", HF_ERR_TEXT(err));
}

/* Reads a status and keeps it if it is the newest so far. Frees `path`. A missing file is no error. */
static void consider(struct newest *newest, char *path)
{
    _cleanup_(hf_freep) char *own = path;
    _cleanup_(hf_json_freep) json_t *found = NULL;
    struct hf_err err = HF_ERR_INIT;
    int r = own != NULL ? read_json(newest->cli, own, &found, &err) : hf_err_set(&err, ENOMEM, "out of memory");

    if (r < 0 && r != -ENOENT && newest->r < 0)
        warn(newest->cli, &err);
    if (r < 0 && r != -ENOENT && newest->r == 0) {
        newest->r = r;
        newest->err = err;
    }
    if (r < 0 || (newest->node != NULL &&
                  hf_cli_observed_unix_ns(newest->cli, found) <= hf_cli_observed_unix_ns(newest->cli, newest->node)))
        return;
    json_decref(newest->node);
    newest->node = hf_steal(found);
}

/* Considers all statuses in the folder: a renamed node leaves one behind. */
static void consider_folder(struct newest *newest, const char *state)
{
    _cleanup_(hf_freep) char *folder = hf_asprintf("%s/status", state);
    DIR *dir = folder != NULL ? opendir(folder) : NULL;

    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        size_t n = strlen(entry->d_name);
        if (strncmp(entry->d_name, "EdgeNode-", 9) == 0 && n > 5 && strcmp(entry->d_name + n - 5, ".json") == 0)
            consider(newest, hf_asprintf("%s/%s", folder, entry->d_name));
    }
    if (dir != NULL)
        (void)closedir(dir);
}

/* *newest stays NULL if there is no status. An error: there are statuses, and none is readable. */
static int read_newest(struct hf_cli *cli, const struct status_dirs *dirs, json_t **newest, struct hf_err *err)
{
    struct newest search = {.cli = cli};

    if (dirs->run != NULL)
        consider(&search, hf_asprintf("%s/status.json", dirs->run));
    consider_folder(&search, dirs->state);
    consider(&search, hf_asprintf("%s/outbox.json", dirs->state));
    *newest = search.node;
    if (search.r == 0)
        return 0;
    if (search.node != NULL) {
        warn(cli, &search.err);
        return 0;
    }
    *err = search.err;
    return search.r;
}

/* since: start of the running agent; 0: none runs. */
static int read_node(struct hf_cli *cli, const struct status_dirs *dirs, uint64_t since, json_t **ret_node,
                     struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *newest = NULL;
    int r = read_newest(cli, dirs, &newest, err);

    if (r < 0)
        return r;
    /* A status that is older than the running agent, and that this agent does not renew, comes from an earlier
     * source of objects. */
    bool leftover = since != 0 && hf_cli_observed_unix_ns(cli, newest) < since &&
                    hf_cli_judge_seen(cli, newest, HF_CLI_AGENT_RUNS).state == HF_CLI_SILENT;
    if (newest != NULL && !leftover) {
        *ret_node = hf_steal(newest);
        return 0;
    }
    r = hf_cli_status_local(cli, dirs->state, ret_node, err);
    if (r == -ENOENT && newest != NULL) {
        *ret_node = hf_steal(newest);
        return 0;
    }
    if (r == -ENOENT)
        return hf_err_set(err, ENOENT, "'%s' has no status: does an agent run with this --state-dir?%s", dirs->state,
                          dirs->advice);
    return r;
}

/* ---- the output -------------------------------------------------------------------------------------------------- */

static int print_json(struct hf_cli *cli, enum hf_output output, json_t *node, const struct hf_cli_seen *seen,
                      const struct hf_cli_hold_seen *hold, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *answer =
        json_pack("{s:O, s:o, s:o}", "node", node, "seen", hf_cli_seen_json(seen), "hold", hf_cli_hold_json(hold));

    return answer != NULL ? hf_output_print(cli, output, answer, err) : hf_err_set(err, ENOMEM, "out of memory");
}

static int print_status(struct hf_cli *cli, enum hf_output output, json_t *node, const struct hf_cli_seen *seen,
                        const struct hf_cli_hold_seen *hold, struct hf_err *err)
{
    if (output == HF_OUTPUT_JSON || output == HF_OUTPUT_YAML)
        return print_json(cli, output, node, seen, hold, err);
    if (hf_plain_tree(node) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (output == HF_OUTPUT_NAME)
        return fprintf(cli->out, "edgenode." HF_API_GROUP "/%s\n", hf_json_str_or(node, "metadata.name", "?")) < 0
                   ? hf_err_set(err, EIO, "write")
                   : 0;
    return hf_cli_print_node(cli, node, seen, hold, err);
}

static int local_status(struct hf_cli *cli, const struct hf_cli_args *args, const char *advice, struct hf_err *err)
{
    const struct status_dirs dirs = dirs_of(args, advice);
    _cleanup_(hf_json_freep) json_t *node = NULL;
    struct hf_cli_hold_seen hold;
    enum hf_output output;
    uint64_t since = 0;
    enum hf_cli_agent agent = hf_cli_see_agent(cli, dirs.state, &since);
    int r = hf_output_of(args, &output, err);

    (void)!hf_cli_see_hold(cli, dirs.state, &hold, NULL); /* nothing about a hold that this user may not read */
    if (r == 0)
        r = read_node(cli, &dirs, agent == HF_CLI_AGENT_RUNS ? since : 0, &node, err);
    if (r < 0)
        return r;
    struct hf_cli_seen seen = hf_cli_judge_seen(cli, node, agent);
    bool unwell = hf_node_view_needs_person(node);
    r = print_status(cli, output, node, &seen, &hold, err);
    if (r < 0)
        return r;
    if (seen.state == HF_CLI_SILENT || seen.state == HF_CLI_STOPPED)
        return HF_EXIT_SILENT;
    return unwell ? HF_EXIT_UNWELL : 0;
}

/* ---- this node, or the fleet ------------------------------------------------------------------------------------- */

/* Returns true if an agent works, or has worked, on this machine. */
static bool has_agent(void)
{
    return access(HF_CLI_DEFAULT_STATE_DIR, F_OK) == 0 || access(HF_CLI_DEFAULT_RUN_DIR "/status.json", F_OK) == 0;
}

static bool is_about_fleet(const struct hf_cli_args *args)
{
    if (args->n_words > 0 || hf_cluster_is_meant(args))
        return true;
    if (hf_cli_flag(args, "state-dir") || hf_cli_flag(args, "run-dir"))
        return false;
    return !has_agent() && hf_cluster_has_kubeconfig();
}

int hf_cli_status(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    bool local = hf_cli_flag(args, "state-dir") || hf_cli_flag(args, "run-dir");

    if (!is_about_fleet(args))
        return local_status(cli, args, " For the rollouts of a cluster give --kubeconfig FILE", err);
    if (local)
        return hf_err_set(err, EINVAL,
                          "--state-dir and --run-dir are about this node; leave them out to see the cluster");
    return hf_fleet_status(cli, args, err);
}

int hf_cli_node_status(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    return local_status(cli, args, "", err);
}
