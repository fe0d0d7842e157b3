/* SPDX-License-Identifier: Apache-2.0 */
/* status: what a node last said, how old that is, and what it comes to. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/node/status_seen.h"
#include "node/clock_file.h"
#include "os/file.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/cli_run.h"
#include "update/state/journal.h"

#define OBSERVED (1795161600ull * HF_NS_PER_S) /* 2026-11-20T08:00:00Z, when all of the statuses below were made */

static struct cli_run run;
static int lock = -1;
static uint64_t now_unix_ns;

static uint64_t no_time(void *ctx)
{
    (void)ctx;
    return 1;
}

static uint64_t told_time(void *ctx)
{
    (void)ctx;
    return now_unix_ns;
}

static const struct hf_clock_ops clock_ops = {.mono_ns = no_time, .unix_ns = told_time};

static void setup(void)
{
    cli_begin(&run);
    run.clock = &clock_ops;
    now_unix_ns = OBSERVED + 12 * HF_NS_PER_S;
}

static void agent_ends(void)
{
    if (lock >= 0)
        (void)close(lock);
    lock = -1;
}

static void teardown(void)
{
    agent_ends();
    cli_end(&run);
}

/* It holds its lock, as an agent does, since so long before the statuses were made. */
static void agent_begins(uint64_t before_s)
{
    const struct timespec since = {.tv_sec = (time_t)(OBSERVED / HF_NS_PER_S - before_s)};
    const struct timespec times[] = {since, since};

    agent_ends();
    lock = hf_file_lock(hf_fs_posix(), cli_path(&run, "agent.lock"), NULL);
    ck_assert_int_ge(lock, 0);
    ck_assert_int_eq(futimens(lock, times), 0);
}

static const char node[] =
    "{\"apiVersion\": \"edge.codcompass.io/v1alpha1\", \"kind\": \"EdgeNode\", \"metadata\": {\"name\": \"n1\"}, "
    "\"status\": {\"observedTime\": \"2026-11-20T08:00:00Z\", \"policy\": {\"name\": \"edge\", \"observedGeneration\": "
    "3, "
    "\"interval\": \"5m\"}, \"agent\": {\"version\": \"0.1.0\", \"mode\": \"Host\"%s}, "
    "\"contact\": {\"state\": \"Fresh\", \"lastTime\": \"2026-11-20T07:59:58Z\"}, "
    "\"updates\": [{\"name\": \"edge\", \"phase\": \"%s\", \"version\": \"1.2\", \"installedVersion\": \"%s\", "
    "\"sequence\": 7, \"from\": \"1.1\", \"method\": \"Delta\", \"bytesFetched\": 23811, \"reason\": \"HealthPassed\", "
    "\"message\": \"all well\"}], \"conditions\": [{\"type\": \"Ready\", \"status\": \"True\", \"reason\": "
    "\"Settled\", "
    "\"message\": \"edge 1.2: %s: all well\"}]%s}}";

static void write_whole(const char *name, const char *agent, const char *phase, const char *installed, const char *more)
{
    char text[sizeof(node) + 1024];

    (void)snprintf(text, sizeof(text), node, agent, phase, installed, phase, more);
    cli_write_text(&run, name, text);
}

static void write_node(const char *name, const char *phase)
{
    write_whole(name, "", phase, "1.2", "");
}

static int status(void)
{
    return cli(&run, "status", "--state-dir", "%", NULL);
}

static void expect_said(const char *text)
{
    ck_assert_msg(strstr(run.out, text) != NULL, "'%s' is not in: %s", text, run.out);
}

static void expect_unsaid(const char *text)
{
    ck_assert_msg(strstr(run.out, text) == NULL, "'%s' is in: %s", text, run.out);
}

START_TEST(the_whole_of_it)
{
    ck_assert_int_eq(status(), HF_EXIT_FAILED);
    ck_assert_ptr_nonnull(strstr(run.err, "has no status"));
    ck_assert_int_eq(mkdir(cli_path(&run, "status"), 0755), 0);
    ck_assert_int_eq(status(), HF_EXIT_FAILED);
    write_node("status/EdgeNode-n1.json", "Committed");
    agent_begins(60);
    ck_assert_int_eq(status(), 0);
    ck_assert_str_eq(run.out, "node n1, agent 0.1.0 (Host), seen 12s ago, contact Fresh, last 2026-11-20T07:59:58Z\n"
                              "policy edge, generation 3, interval 5m\n"
                              "RELEASE  PHASE      VERSION  INSTALLED  SEQUENCE  FROM  BY     FETCHED  REASON\n"
                              "edge     Committed  1.2      1.2        7         1.1   Delta  23.8 kB  HealthPassed\n"
                              "edge: all well\n"
                              "Ready=True Settled: edge 1.2: Committed\n");
    char large[5000];
    memset(large, ' ', sizeof(large));
    cli_write(&run, "hold", large, sizeof(large));
    ck_assert_int_eq(status(), 0);
    expect_said("held: the hold file cannot be read\n");
    cli_write_text(&run, "hold",
                   "{\"reason\": \"lunch\", \"since\": \"2026-11-20T07:59:00Z\", \"until\": \"2026-11-20T09:00:00Z\"}");
    ck_assert_int_eq(status(), 0);
    expect_said("held until 2026-11-20T09:00:00Z: lunch\n");
    ck_assert_int_eq(cli(&run, "status", "--json", "--state-dir", "%", NULL), 0);
    expect_said("\"hold\":{\"active\":true,\"reason\":\"lunch\",\"until\":\"2026-11-20T09:00:00Z\"}");
    expect_said("\"seen\":{\"state\":\"Current\",\"agentRunning\":true,\"ageSeconds\":12}");
}
END_TEST

/* What one of several policies sets must not look as if the first had set it. */
START_TEST(all_policies_are_named)
{
    cli_write_text(
        &run, "status.json",
        "{\"metadata\": {\"name\": \"n1\"}, \"status\": {\"observedTime\": \"2026-11-20T08:00:00Z\", \"policy\": "
        "{\"name\": \"line-3\", \"observedGeneration\": 1, \"interval\": \"5m\", \"policies\": "
        "[{\"name\": \"line-3\", \"observedGeneration\": 1}, {\"name\": \"site\", \"observedGeneration\": 4}]}}}");
    (void)cli(&run, "status", "--state-dir", "%", "--run-dir", "%", NULL);
    expect_said("\npolicies line-3, site, interval 5m\n");
}
END_TEST

START_TEST(manifests_are_shown)
{
    cli_write_text(
        &run, "status.json",
        "{\"status\": {\"observedTime\": \"2026-11-20T08:00:00Z\", \"manifests\": [{\"name\": \"site\", \"to\": "
        "\"Files\", \"phase\": \"Applied\", \"digest\": \"0123456789ab\", \"items\": 3}, {\"name\": \"web\", "
        "\"to\": \"StaticPods\", \"phase\": \"Waiting\", \"drifts\": 2, \"reason\": \"PruneLimit\", "
        "\"message\": \"too many\"}]}}");
    (void)cli(&run, "status", "--state-dir", "%", "--run-dir", "%", NULL);
    expect_said("MANIFEST  TO          PHASE    DIGEST        ITEMS  DRIFTS  REASON\n"
                "site      Files       Applied  0123456789ab  3      0       -\n"
                "web       StaticPods  Waiting  -             0      2       PruneLimit\n"
                "web: too many\n");
}
END_TEST

START_TEST(texts_of_the_cluster_are_plain)
{
    cli_write_text(&run, "status.json",
                   "{\"status\": {\"observedTime\": \"2026-11-20T08:00:00Z\", \"updates\": [{\"name\": "
                   "\"a\\u001b]0;x\\u0007\", \"phase\": \"Rejected\", \"message\": \"b\\nc\\u009bm\\u202e "
                   "caf\\u00e9\"}], \"m\\u202en\\u009b\": 1}}");
    cli_write_text(&run, "hold", "{\"reason\": \"h\\u202eh\"}");
    (void)cli(&run, "status", "--state-dir", "%", "--run-dir", "%", NULL);
    ck_assert_ptr_null(strpbrk(run.out, "\x1b\x07"));
    ck_assert_ptr_null(strstr(run.out, "\u202e"));
    expect_said("a?]0;x?");
    expect_said("b?c?m? caf\u00e9");
    expect_said(": h?h\n");
    (void)cli(&run, "status", "--state-dir", "%", "--run-dir", "%", "-o", "json", NULL);
    expect_said("\"m?n?\":1");
    ck_assert_ptr_null(strstr(run.out, "\u202e"));
    expect_said("b?c?m? caf\u00e9"); /* JSON need not escape U+009B, which a terminal executes */
    (void)cli(&run, "status", "--state-dir", "%", "--run-dir", "%", "-o", "yaml", NULL);
    expect_said("b?c?m? caf\u00e9");
}
END_TEST

START_TEST(what_runs_is_not_what_was_wanted)
{
    ck_assert_int_eq(mkdir(cli_path(&run, "status"), 0755), 0);
    write_whole("status/EdgeNode-n1.json", "", "RolledBack", "1.1", "");
    agent_begins(60);
    ck_assert_int_eq(status(), HF_EXIT_UNWELL);
    expect_said("edge     RolledBack  1.2      1.1 ");
    write_node("status/EdgeNode-n1.json", "Rejected");
    ck_assert_int_eq(cli(&run, "status", "--json", "--state-dir", "%", NULL), HF_EXIT_UNWELL);
    cli_write_text(&run, "status/EdgeNode-n1.json", "{");
    ck_assert_int_eq(status(), HF_EXIT_REFUSED);
    cli_write_text(&run, "status/EdgeNode-n1.json", "{}");
    ck_assert_int_eq(status(), 0);
    expect_said("no updates");
}
END_TEST

/* ---- an old word is not taken for a current one ------------------------------------------------------------------ */

static const struct {
    const char *name;
    uint64_t age_s;
    bool runs;
    const char *agent; /* what the status says of it */
    int want;
    const char *said, *state;
} ages[] = {
    {"within two intervals", 640, true, "", 0, ", seen 10m ago, contact Fresh", "Current"},
    {"beyond", 840, true, "", HF_EXIT_SILENT,
     ", Silent (last seen 14m ago; the agent runs but does not renew it), contact was Fresh", "Silent"},
    {"killed just now", 12, false, "", HF_EXIT_SILENT,
     ", Silent (last seen 12s ago; no agent runs on this state folder), contact was Fresh", "Silent"},
    {"stopped", 7200, false, ", \"state\": \"Stopped\"", HF_EXIT_SILENT, ", Stopped 2h ago, contact was Fresh",
     "Stopped"},
    {"stopped, and started again", 3, true, ", \"state\": \"Stopped\"", 0, ", seen 3s ago", "Current"},
    {"did what it was started for", 200000, false, ", \"state\": \"Once\"", 0, ", Finished 2d ago", "Finished"},
    {"a clock that went back", 0, true, "", 0, ", seen 0s ago", "Current"},
};

START_TEST(seen)
{
    char json[128];

    write_whole("outbox.json", ages[_i].agent, "Committed", "1.2", "");
    now_unix_ns = OBSERVED + ages[_i].age_s * HF_NS_PER_S;
    if (ages[_i].age_s == 0)
        now_unix_ns -= HF_NS_PER_S;
    if (ages[_i].runs)
        agent_begins(60);
    int code = status();
    ck_assert_msg(code == ages[_i].want, "%s: %d", ages[_i].name, code);
    expect_said(ages[_i].said);
    ck_assert_int_eq(cli(&run, "status", "--json", "--state-dir", "%", NULL), ages[_i].want);
    (void)snprintf(json, sizeof(json), "\"seen\":{\"state\":\"%s\",\"agentRunning\":%s,\"ageSeconds\":%llu}",
                   ages[_i].state, ages[_i].runs ? "true" : "false", (unsigned long long)ages[_i].age_s);
    expect_said(json);
}
END_TEST

/* Without the right to open the lock, a user cannot know whether an agent runs: the status alone decides. */
static const struct {
    const char *name;
    uint64_t age_s;
    const char *agent;
    int want;
    const char *said, *state;
} unseen[] = {
    {"within two intervals", 640, "", 0, ", seen 10m ago, contact Fresh", "Current"},
    {"beyond", 840, "", HF_EXIT_SILENT, ", Silent (last seen 14m ago; ", "Silent"},
    {"stopped just now", 3, ", \"state\": \"Stopped\"", HF_EXIT_SILENT, ", Stopped 3s ago", "Stopped"},
    {"did what it was started for", 3, ", \"state\": \"Once\"", 0, ", Finished 3s ago", "Finished"},
};

START_TEST(the_lock_is_not_for_everybody)
{
    static const char warning[] = "warning: only root may see whether an agent runs here: ";
    char json[128], state[400];
    uid_t self = geteuid();

    ck_assert_int_eq(mkdir(cli_path(&run, "state"), 0755), 0);
    (void)snprintf(state, sizeof(state), "%s", cli_path(&run, "state"));
    cli_write_text(&run, "state/agent.lock", "");
    write_whole("state/outbox.json", unseen[_i].agent, "Committed", "1.2", "");
    now_unix_ns = OBSERVED + unseen[_i].age_s * HF_NS_PER_S;
    ck_assert_int_eq(chmod(run.folder, 0755), 0);
    ck_assert_int_eq(chmod(cli_path(&run, "state/outbox.json"), 0644), 0);
    ck_assert_int_eq(chmod(cli_path(&run, "state/agent.lock"), 0), 0);
    if (self == 0)
        ck_assert_int_eq(seteuid(65534), 0);
    (void)cli(&run, "status", "--state-dir", state, NULL);
    ck_assert_int_eq(run.code, unseen[_i].want);
    ck_assert_msg(strstr(run.err, warning) != NULL, "%s", run.err);
    expect_said(unseen[_i].said);
    expect_unsaid("no agent runs");
    expect_unsaid("the agent runs");
    (void)cli(&run, "status", "--json", "--state-dir", state, NULL);
    ck_assert_int_eq(seteuid(self), 0);
    ck_assert_int_eq(run.code, unseen[_i].want);
    (void)snprintf(json, sizeof(json), "\"seen\":{\"state\":\"%s\",\"agentRunning\":null,\"ageSeconds\":%llu}",
                   unseen[_i].state, (unsigned long long)unseen[_i].age_s);
    expect_said(json);
}
END_TEST

/* Of several places the newest word counts. */
START_TEST(the_newest)
{
    static const char older[] =
        "{\"metadata\":{\"name\":\"old\"},\"status\":{\"observedTime\":\"2026-11-19T08:00:00Z\"}}";

    agent_begins(60);
    ck_assert_int_eq(mkdir(cli_path(&run, "status"), 0755), 0);
    ck_assert_int_eq(mkdir(cli_path(&run, "run"), 0755), 0);
    cli_write_text(&run, "status/EdgeNode-old.json", older);
    cli_write_text(&run, "outbox.json", older);
    write_node("status.json", "Fetching");
    ck_assert_int_eq(cli(&run, "status", "--state-dir", "%", "--run-dir", "%", NULL), 0);
    expect_said("node n1, ");
    expect_said("Fetching");
    write_node("outbox.json", "Committed");
    cli_write_text(&run, "status.json", older);
    ck_assert_int_eq(cli(&run, "status", "--state-dir", "%", "--run-dir", "%", NULL), 0);
    expect_said("Committed");
}
END_TEST

/* A status from the future has no age, and does not hide a live one. */
START_TEST(one_from_the_future)
{
    static const char future[] =
        "{\"metadata\":{\"name\":\"old\"},\"status\":{\"observedTime\":\"2026-11-20T08:10:13Z\"}}";

    agent_begins(60);
    cli_write_text(&run, "outbox.json", future);
    write_node("status.json", "Fetching");
    ck_assert_int_eq(cli(&run, "status", "--state-dir", "%", "--run-dir", "%", NULL), 0);
    expect_said("node n1, ");
    cli_write_text(&run, "status.json", future);
    ck_assert_int_eq(cli(&run, "status", "--state-dir", "%", "--run-dir", "%", NULL), 0);
    expect_said("node old, ");
    expect_unsaid("ago");
}
END_TEST

/* A file that cannot be read hides no other one, and is no wrong command line. */
START_TEST(one_that_cannot_be_read)
{
    static const char *const places[] = {"outbox.json", "status.json", "status/EdgeNode-old.json"};

    agent_begins(60);
    ck_assert_int_eq(mkdir(cli_path(&run, "status"), 0755), 0);
    write_node("status/EdgeNode-n1.json", "Fetching");
    for (size_t i = 0; i < HF_LEN(places); i++) {
        cli_write_text(&run, places[i], i == 0 ? "" : "{\"status\": {\"obser");
        ck_assert_int_eq(cli(&run, "status", "--state-dir", "%", "--run-dir", "%", NULL), 0);
        expect_said("node n1, ");
        ck_assert_msg(strstr(run.err, places[i]) != NULL, "%s", run.err);
    }
    cli_write_text(&run, "status/EdgeNode-\x1b.json", "");
    ck_assert_int_eq(status(), 0);
    ck_assert_ptr_nonnull(strstr(run.err, "EdgeNode-?.json"));
    for (size_t i = 0; i < HF_LEN(places); i++) {
        ck_assert_int_eq(unlink(cli_path(&run, places[i])), 0);
        ck_assert_int_eq(mkdir(cli_path(&run, places[i]), 0755), 0);
    }
    ck_assert_int_eq(cli(&run, "status", "--state-dir", "%", "--run-dir", "%", NULL), 0);
    expect_said("node n1, ");
    for (size_t i = 0; i < HF_LEN(places); i++)
        ck_assert_ptr_nonnull(strstr(run.err, places[i]));
    ck_assert_int_eq(unlink(cli_path(&run, "status/EdgeNode-n1.json")), 0);
    ck_assert_int_eq(cli(&run, "status", "--state-dir", "%", "--run-dir", "%", NULL), HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.err, "not a regular file"));
}
END_TEST

START_TEST(ago)
{
    char text[HF_CLI_AGO_TEXT];

    ck_assert_str_eq(hf_cli_ago(119 * HF_NS_PER_S, text), "119s");
    ck_assert_str_eq(hf_cli_ago(120 * HF_NS_PER_S, text), "2m");
    ck_assert_str_eq(hf_cli_ago(7199 * HF_NS_PER_S, text), "119m");
    ck_assert_str_eq(hf_cli_ago(7200 * HF_NS_PER_S, text), "2h");
    ck_assert_str_eq(hf_cli_ago(UINT64_MAX, text), "213503d");
}
END_TEST

/* ---- telemetry, conditions --------------------------------------------------------------------------------------- */

START_TEST(sinks)
{
    agent_begins(60);
    write_whole("outbox.json", "", "Committed", "1.2",
                ", \"telemetry\": {\"queuedEvents\": 100, \"queuedBytes\": 23811, \"diskBytes\": 65536, \"sinks\": ["
                "{\"name\": \"default\", \"origin\": \"https://otlp.example:4318\", \"breaker\": \"Open\", "
                "\"queuedEvents\": 100, \"queuedBytes\": 23811, \"oldestTime\": \"2026-11-20T07:52:00Z\", "
                "\"deadLetters\": 2, \"droppedEvents\": 345, \"lastDeliveryTime\": \"2026-11-20T05:00:00Z\", "
                "\"message\": \"HTTP 503\"}, "
                "{\"name\": \"audit\", \"origin\": \"https://a.example\", \"breaker\": \"Closed\"}], "
                "\"troubles\": [\"files: no such glob\"]}");
    ck_assert_int_eq(status(), 0);
    expect_said(
        "SINK     TO                         BREAKER  QUEUED  BYTES    OLDEST  DELIVERED  DEAD-LETTERS  DROPPED\n"
        "default  https://otlp.example:4318  Open     100     23.8 kB  8m      3h         2             345\n"
        "audit    https://a.example          Closed   0       0 B      -       -          0             0\n"
        "default: HTTP 503\n"
        "telemetry: files: no such glob\n");
    write_node("outbox.json", "Committed");
    ck_assert_int_eq(status(), 0);
    expect_unsaid("SINK");
}
END_TEST

/* Why stands once. */
START_TEST(nothing_is_said_twice)
{
    agent_begins(60);
    write_node("outbox.json", "Waiting");
    ck_assert_int_eq(status(), 0);
    const char *first = strstr(run.out, "all well");
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(strstr(first + 1, "all well"));
    expect_said("Ready=True Settled: edge 1.2: Waiting\n");
}
END_TEST

/* ---- from journals ----------------------------------------------------------------------------------------------- */

static void write_journal(const char *name, enum hf_phase phase)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_JOURNAL_MAX_BYTES);
    struct hf_journal j = {.phase = phase,
                           .reason = phase == HF_PHASE_WAITING ? HF_R_Queued : HF_R_HealthPassed,
                           .method = HF_METHOD_DELTA,
                           .sequence = 7,
                           .bytes_fetched = 23811,
                           .attempts = 1,
                           .time_unix_ns = 1793491200ull * HF_NS_PER_S,
                           .name = "edge",
                           .version = "1.2",
                           .from = "1.1",
                           .good_version = "1.1",
                           .message = "all well"};
    char path[80];

    (void)snprintf(path, sizeof(path), "updates/%s", name);
    (void)mkdir(cli_path(&run, path), 0755);
    (void)snprintf(path, sizeof(path), "updates/%s/journal", name);
    ck_assert_int_eq(hf_journal_format(&j, NULL, &text), 0);
    cli_write(&run, path, text.p, text.n);
}

/* A node whose statuses arrive keeps none of them on the disk. */
START_TEST(status_of_a_connected_node)
{
    _cleanup_(hf_buf_done) struct hf_buf clock = HF_BUF_INIT(HF_CLOCK_FILE_MAX);

    ck_assert_int_eq(mkdir(cli_path(&run, "updates"), 0755), 0);
    ck_assert_int_eq(status(), HF_EXIT_SILENT);
    ck_assert_str_eq(run.out,
                     "this node, from its journals, Silent (no agent runs on this state folder), no contact yet\n"
                     "no updates\n");
    agent_begins(60);
    write_journal("edge", HF_PHASE_COMMITTED);
    cli_write_text(&run, "updates/lock", "");
    ck_assert_int_eq(hf_clock_file_format(&(struct hf_clock_file){.contact_unix_ns = 1795161600 * HF_NS_PER_S}, &clock),
                     0);
    cli_write_text(&run, "clock", hf_buf_str(&clock));
    ck_assert_int_eq(status(), 0);
    ck_assert_str_eq(run.out, "this node, from its journals, last contact 2026-11-20T08:00:00Z\n"
                              "RELEASE  PHASE      VERSION  INSTALLED  SEQUENCE  FROM  BY     FETCHED  REASON\n"
                              "edge     Committed  1.2      1.2        7         1.1   Delta  23.8 kB  HealthPassed\n"
                              "edge: all well\n");
    ck_assert_int_eq(cli(&run, "status", "--json", "--state-dir", "%", NULL), 0);
    expect_said("\"phase\":\"Committed\"");
    expect_said("\"lastTime\":\"2026-11-20T08:00:00Z\"");
    expect_said("\"ageSeconds\":null");
    write_journal("site", HF_PHASE_ROLLED_BACK);
    ck_assert_int_eq(status(), HF_EXIT_UNWELL);
    cli_write_text(&run, "clock", "damaged");
    ck_assert_int_eq(status(), HF_EXIT_UNWELL);
    expect_said("this node, from its journals, contact unknown\n");
    write_node("outbox.json", "Fetching"); /* what waits to be told is newer */
    ck_assert_int_eq(status(), 0);
    expect_said("node n1, agent 0.1.0");
}
END_TEST

/* Why it waits is not in a journal: "another release goes first" would contradict what the cluster is told. */
START_TEST(a_wait_is_not_explained_by_a_journal)
{
    agent_begins(60);
    ck_assert_int_eq(mkdir(cli_path(&run, "updates"), 0755), 0);
    write_journal("edge", HF_PHASE_WAITING);
    ck_assert_int_eq(status(), 0);
    expect_unsaid("Queued");
    expect_unsaid("another release");
    expect_said("edge: the journal does not record what it waits for: see the EdgeNode\n");
    expect_said("1.2      1.1 "); /* wanted, installed */
}
END_TEST

/* A file from the days when the agent had another source: the one that runs now knows better. One that the agent of
 * today made, and does not renew, is told as what it is. */
START_TEST(a_leftover)
{
    ck_assert_int_eq(mkdir(cli_path(&run, "updates"), 0755), 0);
    ck_assert_int_eq(mkdir(cli_path(&run, "status"), 0755), 0);
    write_journal("edge", HF_PHASE_COMMITTED);
    write_node("status/EdgeNode-n1.json", "Fetching");
    now_unix_ns = OBSERVED + 7200 * HF_NS_PER_S;
    lock = hf_file_lock(hf_fs_posix(), cli_path(&run, "agent.lock"), NULL); /* made now, which is later */
    ck_assert_int_eq(status(), 0);
    expect_said("from its journals");
    agent_begins(60);
    ck_assert_int_eq(status(), HF_EXIT_SILENT);
    expect_said("Fetching");
}
END_TEST

/* One that cannot be read is told, hides no other, and is left where it is. */
START_TEST(status_beside_a_damaged_journal)
{
    agent_begins(60);
    ck_assert_int_eq(mkdir(cli_path(&run, "updates"), 0755), 0);
    write_journal("edge", HF_PHASE_COMMITTED);
    write_journal("torn", HF_PHASE_COMMITTED);
    write_journal("\xff", HF_PHASE_COMMITTED); /* not UTF-8 */
    cli_write_text(&run, "updates/torn/journal", "holdfast-journal 1 ");
    ck_assert_int_eq(status(), 0);
    expect_said("edge     Committed");
    expect_said("torn: ");
    expect_said("?        Committed");
    ck_assert_int_eq(access(cli_path(&run, "updates/torn/journal"), F_OK), 0);
}
END_TEST

START_TEST(why_there_is_no_status)
{
    ck_assert_int_eq(status(), HF_EXIT_FAILED);
    ck_assert_ptr_nonnull(strstr(run.err, "--kubeconfig"));
    ck_assert_int_eq(cli(&run, "node", "status", "--state-dir", "%", NULL), HF_EXIT_FAILED);
    ck_assert_ptr_null(strstr(run.err, "--kubeconfig")); /* it has no such option */
    cli_close_folder(&run, true);
    int code = status();
    cli_close_folder(&run, false);
    ck_assert_int_eq(code, HF_EXIT_FAILED);
    ck_assert_ptr_nonnull(strstr(run.err, "outbox.json': only root may read it"));
}
END_TEST

static const struct {
    const char *type, *status;
    int want;
} conditions[] = {{"Stalled", "True", HF_EXIT_UNWELL},
                  {"Stalled", "False", 0},
                  {"SourceReadable", "False", HF_EXIT_UNWELL},
                  {"StatusDelivered", "False", HF_EXIT_UNWELL},
                  {"PolicyTrusted", "False", HF_EXIT_UNWELL},
                  {"PolicyConflict", "True", HF_EXIT_UNWELL},
                  {"PolicyConflict", "False", 0},
                  {"ConfigurationValid", "False", HF_EXIT_UNWELL},
                  {"StateWritable", "False", HF_EXIT_UNWELL},
                  {"TrustFolderSafe", "False", HF_EXIT_UNWELL},
                  {"FloorsKnown", "False", HF_EXIT_UNWELL},
                  {"FeaturesPresent", "False", HF_EXIT_UNWELL},
                  {"NodeNameShared", "True", HF_EXIT_UNWELL},
                  {"ClientCertificateValid", "False", HF_EXIT_UNWELL},
                  {"Reconciling", "True", 0},
                  {"LabelsApplied", "False", 0}};

START_TEST(what_does_not_mend_itself)
{
    char text[512];

    (void)snprintf(
        text, sizeof(text),
        "{\"metadata\":{\"name\":\"n1\"},\"status\":{\"observedTime\":\"2026-11-20T08:00:00Z\",\"conditions\":"
        "[{\"type\":\"%s\",\"status\":\"%s\",\"reason\":\"R\",\"message\":\"why\"}]}}",
        conditions[_i].type, conditions[_i].status);
    agent_begins(60);
    ck_assert_int_eq(mkdir(cli_path(&run, "status"), 0755), 0);
    cli_write_text(&run, "status/EdgeNode-n1.json", text);
    ck_assert_int_eq(status(), conditions[_i].want);
    expect_said("R: why\n");
}
END_TEST

/* What Ready explains, no other line repeats or points to. */
START_TEST(the_reason_is_said_once)
{
    agent_begins(60);
    ck_assert_int_eq(mkdir(cli_path(&run, "status"), 0755), 0);
    cli_write_text(&run, "status/EdgeNode-n1.json",
                   "{\"metadata\":{\"name\":\"n1\"},\"status\":{\"observedTime\":\"2026-11-20T08:00:00Z\","
                   "\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\",\"reason\":\"R\",\"message\":"
                   "\"edge 1.5.0: RolledBack: it broke\"},{\"type\":\"Stalled\",\"status\":\"True\",\"reason\":"
                   "\"R\",\"message\":\"edge 1.5.0: RolledBack; see Ready\"}]}}");
    ck_assert_int_eq(status(), HF_EXIT_UNWELL);
    expect_said("Ready=False R: edge 1.5.0: RolledBack: it broke\nStalled=True R: edge 1.5.0: RolledBack\n");
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, the_whole_of_it);
    tcase_add_test(tc, all_policies_are_named);
    tcase_add_test(tc, manifests_are_shown);
    tcase_add_test(tc, texts_of_the_cluster_are_plain);
    tcase_add_test(tc, what_runs_is_not_what_was_wanted);
    tcase_add_loop_test(tc, seen, 0, (int)HF_LEN(ages));
    tcase_add_loop_test(tc, the_lock_is_not_for_everybody, 0, (int)HF_LEN(unseen));
    tcase_add_test(tc, the_newest);
    tcase_add_test(tc, one_from_the_future);
    tcase_add_test(tc, one_that_cannot_be_read);
    tcase_add_test(tc, the_reason_is_said_once);
    tcase_add_loop_test(tc, what_does_not_mend_itself, 0, (int)HF_LEN(conditions));
    tcase_add_test(tc, ago);
    tcase_add_test(tc, sinks);
    tcase_add_test(tc, nothing_is_said_twice);
    tcase_add_test(tc, status_of_a_connected_node);
    tcase_add_test(tc, a_wait_is_not_explained_by_a_journal);
    tcase_add_test(tc, a_leftover);
    tcase_add_test(tc, status_beside_a_damaged_journal);
    tcase_add_test(tc, why_there_is_no_status);
}

HF_TEST_MAIN("cli/status", cases)
