/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/node/status_seen.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "api/edgenode.h"
#include "base/parse.h"
#include "cli/plain.h"

#define GRACE_NS (60 * HF_NS_PER_S)
#define AHEAD_NS (600 * HF_NS_PER_S)

const char *hf_cli_seen_name(enum hf_cli_seen_state state)
{
    static const char *const names[] = {"Current", "Stopped", "Finished", "Silent"};

    return names[state];
}

/* The lock cannot be opened or taken. */
static enum hf_cli_agent unseen(struct hf_cli *cli, const char *path, int r)
{
    hf_cli_print_line(cli->err, "warning: %s whether an agent runs here: '%.200s': %s; the status alone decides",
                      r == -EACCES ? "only root may see" : "cannot see", path, strerror(-r));
    return HF_CLI_AGENT_UNSEEN;
}

enum hf_cli_agent hf_cli_see_agent(struct hf_cli *cli, const char *state_dir, uint64_t *ret_since_unix_ns)
{
    _cleanup_(hf_freep) char *path = hf_asprintf("%s/agent.lock", state_dir);
    int fd = path != NULL ? cli->fs->openat(cli->fs->ctx, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0, HF_FS_ANY) : -ENOMEM;
    struct stat st = {0};

    *ret_since_unix_ns = 0;
    if (fd == -ENOENT || fd == -ENOTDIR)
        return HF_CLI_AGENT_ABSENT;
    if (fd < 0)
        return unseen(cli, path != NULL ? path : state_dir, fd);
    int r = cli->fs->flock(cli->fs->ctx, fd, LOCK_SH | LOCK_NB);
    if (cli->fs->fstat(cli->fs->ctx, fd, &st) == 0) /* an agent writes its pid to the file when it starts */
        *ret_since_unix_ns = (uint64_t)st.st_mtim.tv_sec * HF_NS_PER_S + (uint64_t)st.st_mtim.tv_nsec;
    (void)cli->fs->close(cli->fs->ctx, fd);
    if (r < 0 && r != -EWOULDBLOCK)
        return unseen(cli, path, r);
    return r < 0 ? HF_CLI_AGENT_RUNS : HF_CLI_AGENT_ABSENT;
}

uint64_t hf_cli_observed_unix_ns(struct hf_cli *cli, const json_t *node)
{
    uint64_t observed = 0;

    if (hf_parse_time(hf_json_str_or(node, "status.observedTime", ""), &observed) < 0)
        return 0;
    return observed <= hf_unix_ns(cli->clock) + AHEAD_NS ? observed : 0;
}

struct hf_cli_seen hf_cli_judge_seen(struct hf_cli *cli, const json_t *node, enum hf_cli_agent agent)
{
    uint64_t observed = hf_cli_observed_unix_ns(cli, node), now = hf_unix_ns(cli->clock);
    uint64_t interval = hf_edgenode_interval_ns(hf_json_at(node, "status"));
    struct hf_cli_seen seen = {.known = observed != 0,
                               .age_ns = now - HF_MIN(observed, now),
                               .agent_runs = agent == HF_CLI_AGENT_RUNS,
                               .agent_unknown = agent == HF_CLI_AGENT_UNSEEN};
    const char *last = hf_json_str_or(node, "status.agent.state", "");

    bool renewed = !seen.known || seen.age_ns <= 2 * interval + GRACE_NS;
    if (agent == HF_CLI_AGENT_RUNS)
        seen.state = renewed ? HF_CLI_CURRENT : HF_CLI_SILENT;
    else if (strcmp(last, "Stopped") == 0)
        seen.state = HF_CLI_STOPPED;
    else if (strcmp(last, "Once") == 0)
        seen.state = HF_CLI_FINISHED;
    else
        seen.state = agent == HF_CLI_AGENT_UNSEEN && renewed ? HF_CLI_CURRENT : HF_CLI_SILENT;
    return seen;
}

json_t *hf_cli_seen_json(const struct hf_cli_seen *seen)
{
    return json_pack("{s:s, s:o, s:o}", "state", hf_cli_seen_name(seen->state), "agentRunning",
                     seen->agent_unknown ? json_null() : json_boolean(seen->agent_runs), "ageSeconds",
                     seen->known ? json_integer((json_int_t)(seen->age_ns / HF_NS_PER_S)) : json_null());
}

const char *hf_cli_ago(uint64_t age_ns, char text[HF_CLI_AGO_TEXT])
{
    uint64_t seconds = age_ns / HF_NS_PER_S;
    const struct {
        uint64_t below_s, unit_s;
        char name;
    } units[] = {{120, 1, 's'}, {120 * 60, 60, 'm'}, {48 * 3600, 3600, 'h'}, {UINT64_MAX, 86400, 'd'}};

    for (size_t i = 0; i < HF_LEN(units); i++)
        if (seconds < units[i].below_s) {
            (void)snprintf(text, HF_CLI_AGO_TEXT, "%llu%c", (unsigned long long)(seconds / units[i].unit_s),
                           units[i].name);
            break;
        }
    return text;
}
