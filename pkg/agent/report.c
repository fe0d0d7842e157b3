/* EdgeNode.status: built when something changed, written at the pace of sync/pace.h, kept in an outbox while nobody can be
 * reached. Numbers of statuses never go back: a block of them is reserved on the disk before its first is used, so that
 * heartbeats cost no disk write. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/parts.h"
#include "api/admission.h"
#include "os/file.h"

enum { SEQUENCE_BLOCK = 1000, SEQUENCE_FILE_MAX = 128, OUTBOX_MAX = 256 * 1024, MAX_REFUSED = 16, MAX_NO_ROOM = 4 };

/* A node whose disk was replaced takes the server's number over once. Who has to do it again and again has a twin: a cloned
 * image, with the same node name. Two of them must not drive each other on; an hour without is the end of it. */
enum { MAX_ADOPTIONS = 3 };
#define ADOPTION_MEMORY_NS (3600 * HF_NS_PER_S)

/* A folder on this machine has no fleet to protect it from. */
#define LOCAL_GAP_NS HF_NS_PER_S

/* An agent that is told to stop waits no longer than this for its last word to be heard. */
#define LAST_WORD_NS (2 * HF_NS_PER_S)

/* The source's word on our own EdgeNode is waited for this long before the first status of a contact. */
#define SELF_WAIT_NS (10 * HF_NS_PER_S)

/* ---- sequence ----------------------------------------------------------------------------------------------------- */

/* The file says: every number below `next` may have been used. */
static int write_sequence(struct hf_agent *agent, uint64_t next, struct hf_err *err)
{
    char path[PATH_MAX], text[SEQUENCE_FILE_MAX];
    int n = snprintf(text, sizeof(text), "{\"format\":1,\"next\":%llu}\n", (unsigned long long)next);

    return hf_file_replace(agent->fs, hf_home_path(agent->params.home, "sequence", path), text, (size_t)n, 0600, err);
}

static void read_sequence(struct hf_agent *agent)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(SEQUENCE_FILE_MAX);
    _cleanup_(hf_json_freep) json_t *root = NULL;
    char path[PATH_MAX];
    struct hf_err err = HF_ERR_INIT;
    int r = hf_file_read(agent->fs, hf_home_path(agent->params.home, "sequence", path), &text, &err);

    if (r == 0)
        r = hf_json_parse(hf_buf_view(&text), NULL, &root, &err);
    if (r == 0 && (hf_json_int_or(root, "format", 0) != 1 || hf_json_int_or(root, "next", -1) < 0))
        r = hf_err_set(&err, EBADMSG, "unknown format of the sequence file");
    if (r == 0) {
        agent->report.durable = (uint64_t)hf_json_int_or(root, "next", 0);
        agent->report.sequence = agent->report.durable - (agent->report.durable > 0);
        return;
    }
    /* The API server still has our last number: nothing is sent until it is heard. */
    agent->report.uncertain = true;
    if (r != -ENOENT)
        hf_log_err(agent->log, HF_LOG_WARNING, "sequence.damaged", "file", path, &err);
}

/* A number that was never used before. A new block is reserved when half of the old one is left, so that a disk that refuses
 * for a while does not matter; when it refuses for longer, the status matters more than its number. */
static uint64_t next_sequence(struct hf_agent *agent)
{
    struct report *report = &agent->report;
    struct hf_err err = HF_ERR_INIT;

    report->sequence++;
    if (report->sequence + SEQUENCE_BLOCK / 2 >= report->durable) {
        uint64_t end = report->sequence + SEQUENCE_BLOCK;
        if (write_sequence(agent, end, &err) == 0)
            report->durable = end;
        else
            hf_log_err(agent->log, HF_LOG_ERROR, "sequence.not_written", "node", agent->params.node_name, &err);
    }
    return report->sequence;
}

void hf_report_save_sequence(struct hf_agent *agent)
{
    struct hf_err err = HF_ERR_INIT;

    if (agent->report.sequence + 1 < agent->report.durable &&
        write_sequence(agent, agent->report.sequence + 1, &err) < 0)
        hf_log_err(agent->log, HF_LOG_ERROR, "sequence.not_written", "node", agent->params.node_name, &err);
}

/* ---- outbox ------------------------------------------------------------------------------------------------------- */

static const char *outbox_path(const struct hf_agent *agent, char *path)
{
    return hf_home_path(agent->params.home, "outbox.json", path);
}

static void write_outbox(struct hf_agent *agent, const json_t *body)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(OUTBOX_MAX);
    char path[PATH_MAX];

    if (hf_json_format(body, &text) < 0)
        return;
    hf_diskq_write(agent->diskq, outbox_path(agent, path), hf_buf_view(&text));
    agent->report.outbox = true;
    json_decref(agent->report.parked);
    agent->report.parked = json_incref(agent->report.essence);
}

/* For who reads on this machine. In memory: it costs no disk to be told at each interval. */
static void show(struct hf_agent *agent, const json_t *body)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(OUTBOX_MAX);

    if (agent->params.run_path != NULL && hf_json_format(body, &text) == 0)
        hf_diskq_write(agent->diskq, agent->params.run_path, hf_buf_view(&text));
}

static void clear_outbox(struct hf_agent *agent)
{
    char path[PATH_MAX];

    if (agent->report.outbox)
        hf_diskq_erase(agent->diskq, outbox_path(agent, path));
    agent->report.outbox = false;
    json_decref(agent->report.parked);
    agent->report.parked = NULL;
}

/* What an earlier life could not deliver is superseded by what this one finds; its transition times are still true. */
static void read_outbox(struct hf_agent *agent)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(OUTBOX_MAX);
    _cleanup_(hf_json_freep) json_t *body = NULL;
    char path[PATH_MAX];
    struct hf_err err = HF_ERR_INIT;

    if (hf_file_read(agent->fs, outbox_path(agent, path), &text, &err) < 0)
        return;
    agent->report.outbox = true;
    if (hf_json_parse(hf_buf_view(&text), NULL, &body, &err) < 0)
        return;
    json_t *conditions = (json_t *)(uintptr_t)hf_json_at(body, "status.conditions");
    if (json_is_array(conditions)) {
        json_decref(agent->report.conditions);
        agent->report.conditions = json_deep_copy(conditions);
    }
}

/* ---- building ----------------------------------------------------------------------------------------------------- */

struct collected {
    struct hf_agent *agent;
    struct hf_update_status updates[HF_STATUS_MAX_UPDATES];
    size_t n;
    struct hf_refused refused[MAX_REFUSED];
    size_t n_refused;
    struct hf_status_disk disks[HF_STATUS_MAX_DISKS];
    size_t n_disks;
};

static bool on_its_way(enum hf_phase phase)
{
    return phase >= HF_PHASE_SWAPPING && phase != HF_PHASE_COMMITTED && phase <= HF_PHASE_ROLLING_BACK;
}

/* A time of ours as others know it. */
static uint64_t told(const struct hf_agent *agent, uint64_t unix_ns)
{
    return unix_ns == 0 ? 0 : unix_ns + (uint64_t)agent->told_offset_ns;
}

/* The same of something that was written down earlier, perhaps before our clock was led astray: what is past anyway stays. */
static uint64_t told_later(const struct hf_agent *agent, uint64_t unix_ns)
{
    return unix_ns <= told(agent, hf_unix_ns(agent->clock)) ? unix_ns : told(agent, unix_ns);
}

/* What is desired, and what must be brought to its end though it is not any more; old history is not news. */
static void collect_update(void *arg, const struct hf_update_status *status)
{
    struct collected *all = arg;
    bool wanted = false;

    for (size_t i = 0; i < all->agent->desired_names.n; i++)
        wanted = wanted || strcmp(all->agent->desired_names.entries[i].key, status->name) == 0;
    if ((!wanted && !on_its_way(status->phase)) || all->n == HF_LEN(all->updates))
        return;
    struct hf_update_status *said = &all->updates[all->n++];
    uint64_t now = hf_mono_ns(all->agent->clock), wait = HF_NEVER;
    /* Details are renewed with the heartbeats; nobody reads an outbox. */
    uint64_t refresh = hf_follow_delivers(all->agent) ? all->agent->policy->interval_ns : HF_NEVER;
    int r = hf_steady_say(&all->agent->report.steady, status, refresh, now, said, &wait);
    if (r == 0 && wait != HF_NEVER)
        all->agent->report.look_again_ns = HF_MIN(all->agent->report.look_again_ns, now + wait);
    said->time_unix_ns = told_later(all->agent, said->time_unix_ns);
}

/* A refused version of what did not concern this node before concerns others. */
static bool concerns(const struct hf_agent *agent, struct hf_objects *objects, const struct hf_object *object)
{
    if (object->decoded == NULL)
        return hf_objects_selects(objects, object->refused,
                                  objects == &agent->updates ? agent->labels : agent->own_labels);
    if (objects == &agent->updates)
        return hf_admission_selects(object->decoded, agent->labels);
    const struct hf_syncpolicy *policy = object->decoded;
    return hf_selector_matches(&policy->node_selector, agent->labels);
}

static void collect_refused(struct collected *all, struct hf_objects *objects)
{
    for (size_t i = 0; i < objects->by_name.n && all->n_refused < HF_LEN(all->refused); i++) {
        const struct hf_object *object = objects->by_name.entries[i].value;
        if (object->refused_text != NULL && concerns(all->agent, objects, object))
            all->refused[all->n_refused++] =
                (struct hf_refused){objects->kind->kind, objects->by_name.entries[i].key, object->refused_text};
    }
}

/* Some of them by name: the text says how many there are. */
static void collect_no_room(struct collected *all, const struct hf_objects *objects, char *text, size_t n)
{
    (void)hf_objects_no_room_text(objects, text, n);
    for (size_t i = 0; i < objects->no_room.n && i < MAX_NO_ROOM && all->n_refused < HF_LEN(all->refused); i++)
        all->refused[all->n_refused++] =
            (struct hf_refused){objects->kind->kind, objects->no_room.entries[i].key, text};
}

static void collect_unreadable(struct collected *all)
{
    const struct hf_strmap *unreadable = &all->agent->unreadable;

    if (all->agent->plan_trouble[0] != '\0' && all->n_refused < HF_LEN(all->refused))
        all->refused[all->n_refused++] =
            (struct hf_refused){"Plan", all->agent->params.node_name, all->agent->plan_trouble};
    for (size_t i = 0; i < unreadable->n && all->n_refused < HF_LEN(all->refused); i++)
        all->refused[all->n_refused++] =
            (struct hf_refused){"File", unreadable->entries[i].key, unreadable->entries[i].value};
}

static void collect_disks(struct collected *all)
{
    const struct hf_agent *agent = all->agent;

    for (size_t i = 0; i < HF_STATUS_MAX_DISKS; i++) {
        const char *path = i == 0 ? agent->params.home->dir : agent->params.roots[i - 1];
        if (path == NULL)
            break;
        if (agent->disk_levels[i] != HF_DISK_OK)
            all->disks[all->n_disks++] = (struct hf_status_disk){path, agent->disk_used[i], agent->disk_levels[i]};
    }
}

static int build_essence(struct hf_agent *agent, struct collected *all, struct hf_readiness *verdict, bool stopped,
                         json_t **ret_essence)
{
    char trouble[HF_READINESS_MESSAGE];
    const struct follow *barred = hf_follow_barred(agent);
    bool folder = agent->source_trouble[0] != '\0';
    struct hf_readiness_params judged = {.known = hf_agent_ready(agent),
                                         .updates = all->updates,
                                         .n_updates = all->n,
                                         .refused = all->refused,
                                         .n_refused = all->n_refused,
                                         .superseded = agent->superseded,
                                         .not_admitted = agent->not_admitted};
    hf_readiness_judge(&judged, verdict);
    struct hf_status_view view = {
        .version = agent->params.version,
        .pod_mode = agent->params.pod_mode,
        .once = agent->params.once,
        .stopped = stopped,
        .staleness = agent->staleness,
        .skew_exceeded = agent->skew.exceeded,
        .ntp = agent->params.ntp != NULL ? agent->params.ntp() : HF_NTP_UNKNOWN,
        .updates = all->updates,
        .n_updates = all->n,
        .refused = all->refused,
        .n_refused = all->n_refused,
        .disks = all->disks,
        .n_disks = all->n_disks,
        .hold = agent->held ? &agent->hold : NULL,
        .hold_end_unix_ns = agent->hold_end_unix_ns == HF_NEVER ? HF_NEVER : told_later(agent, agent->hold_end_unix_ns),
        .policy = agent->policy,
        .policy_is_default = agent->policy == agent->default_policy,
        .labels_refused = &agent->labels_refused,
        .name_shared = agent->report.adoptions > MAX_ADOPTIONS,
        .labels_trouble = agent->labeller.trouble[0] != '\0' ? agent->labeller.trouble : NULL,
        .delivery_trouble = agent->report.refused[0] != '\0' ? agent->report.refused : NULL,
        .disk_trouble = hf_diskq_failing(agent->diskq, trouble, sizeof(trouble)) ? trouble : NULL,
        .source_trouble = folder           ? agent->source_trouble
                          : barred != NULL ? barred->barred_text
                                           : NULL,
        .source_reason = folder                     ? "FolderUnreadable"
                         : barred == NULL           ? NULL
                         : barred->barred == ENOENT ? "KindNotFound"
                                                    : "Forbidden",
        .verdict = verdict,
        .observed_generation = agent->report.generation,
    };
    return hf_status_essence(&view, agent->report.conditions, told(agent, hf_unix_ns(agent->clock)), ret_essence);
}

static void keep_soon(struct hf_agent *agent);

/* Somebody may be waiting for this one: an outcome, or the site that said no. */
static bool is_urgent(const struct hf_agent *agent, const struct hf_readiness *verdict)
{
    const struct report *report = &agent->report;
    bool held_told = json_object_get(report->essence, "hold") != NULL;

    return agent->held != held_told || (strcmp(verdict->ready.status, "True") == 0 && !report->ready) ||
           (verdict->is_stalled && !report->stalled);
}

static void build(struct hf_agent *agent, bool stopped)
{
    struct report *report = &agent->report;
    struct collected all = {.agent = agent};
    struct hf_readiness verdict;
    char no_room[2][HF_READINESS_MESSAGE];
    json_t *essence = NULL;
    bool changed = false;

    report->look_again_ns = HF_NEVER;
    hf_update_engine_each(agent->engine, collect_update, &all);
    collect_refused(&all, &agent->updates);
    collect_refused(&all, &agent->policies);
    collect_no_room(&all, &agent->updates, no_room[0], sizeof(no_room[0]));
    collect_no_room(&all, &agent->policies, no_room[1], sizeof(no_room[1]));
    collect_unreadable(&all);
    collect_disks(&all);
    if (build_essence(agent, &all, &verdict, stopped, &essence) < 0)
        return;
    if (!hf_status_same(report->essence, essence)) {
        hf_pace_changed(&report->pace, is_urgent(agent, &verdict), hf_mono_ns(agent->clock));
        report->told = false;
        changed = true;
    }
    report->ready = strcmp(verdict.ready.status, "True") == 0;
    report->stalled = verdict.is_stalled;
    agent->result = report->ready ? 0 : 1;
    json_decref(report->essence);
    report->essence = essence;
    if (changed)
        keep_soon(agent);
}

void hf_report_build(struct hf_agent *agent)
{
    build(agent, false);
}

/* ---- delivering --------------------------------------------------------------------------------------------------- */

static void write_status(struct hf_agent *agent);
static void create_self(struct hf_agent *agent);
static int make_body(struct hf_agent *agent, json_t **ret_body);

/* While deliveries fail, and however long the next is put off, the node itself goes on saying what is: after each change, not more
 * often than a server would hear it, and at each interval. The outbox is written only when it does not hold the latest: what was
 * parked in it, and is not so any more, must not be read as the last word. */
static void keep(struct hf_agent *agent)
{
    _cleanup_(hf_json_freep) json_t *body = NULL;
    struct report *report = &agent->report;
    bool in_outbox = report->outbox && hf_status_same(report->parked, report->essence);

    report->kept_ns = hf_mono_ns(agent->clock);
    report->keep_ns = report->kept_ns + agent->policy->interval_ns;
    if (report->essence == NULL || (in_outbox && agent->params.run_path == NULL) || make_body(agent, &body) < 0)
        return;
    show(agent, body);
    if (!in_outbox)
        write_outbox(agent, body);
}

static void keep_soon(struct hf_agent *agent)
{
    struct report *report = &agent->report;
    uint64_t soon = HF_MAX(hf_mono_ns(agent->clock), report->kept_ns + HF_PACE_GAP_NS);

    if (report->keep_ns != HF_NEVER)
        report->keep_ns = HF_MIN(report->keep_ns, soon);
}

static void failed(struct hf_agent *agent, int r, uint64_t retry_after_ns, const struct hf_err *err)
{
    struct report *report = &agent->report;
    uint64_t delay = hf_backoff_next_ns(&report->backoff, agent->params.rng, retry_after_ns);
    bool for_good = r == -EBADMSG || r == -EACCES; /* a change, a heartbeat or a new version of the server may help */

    if (for_good)
        delay = HF_MAX(delay,
                       agent->policy->interval_ns / 2 + hf_rand_below(agent->params.rng, agent->policy->interval_ns));
    hf_pace_failed(&report->pace, delay, hf_mono_ns(agent->clock));
    hf_log_err(agent->log, for_good ? HF_LOG_ERROR : HF_LOG_WARNING, "status.not_delivered", "node",
               agent->params.node_name, err);
    hf_gauges_count_status(agent, "failed");
    if (for_good)
        (void)hf_err_text(err, report->refused, sizeof(report->refused));
    keep(agent);
    hf_agent_wake(agent, DUE_STATUS);
}

static void delivered(struct hf_agent *agent)
{
    struct report *report = &agent->report;
    bool was_refused = report->refused[0] != '\0';

    report->keep_ns = HF_NEVER;
    report->refused[0] = '\0';
    if (was_refused)
        hf_agent_wake(agent, DUE_STATUS); /* the condition goes */
}

static void answered(void *arg, int r, uint64_t retry_after_ns, const json_t *answer, const struct hf_err *err)
{
    struct hf_agent *agent = arg;
    struct report *report = &agent->report;
    bool created = report->creating;

    report->delivery = NULL;
    report->creating = false;
    if (agent->stopping) {
        hf_agent_finish_stop(agent);
        return;
    }
    if (created && r == 0) {
        report->exists = true;
        report->generation = hf_json_int_or(answer, "metadata.generation", report->generation);
        hf_report_build(agent);
        write_status(agent);
        return;
    }
    if (r == -ENOENT && !created && agent->params.source_echoes) {
        report->exists = false;
        create_self(agent);
        return;
    }
    if (r < 0) {
        failed(agent, r, retry_after_ns, err);
        return;
    }
    hf_backoff_reset(&report->backoff);
    delivered(agent);
    hf_pace_delivered(&report->pace, agent->policy->interval_ns, agent->params.rng, hf_mono_ns(agent->clock));
    hf_gauges_count_status(agent, "delivered");
    hf_log(agent->log, HF_LOG_DEBUG, "status.delivered", HF_D("sequence", report->sequence));
    report->told = !report->pace.changed;
    if (!agent->params.source_echoes) {
        report->sent = 0;
        clear_outbox(agent);
    }
    hf_agent_wake(agent, 0);
}

static void apply(struct hf_agent *agent, const json_t *body, const char *subresource)
{
    struct report *report = &agent->report;
    struct hf_err err = HF_ERR_INIT;
    const struct hf_source_ops *source = agent->params.source;

    report->give_up_ns = hf_mono_ns(agent->clock) + agent->policy->timeout_ns;
    int r = source->apply(source->ctx, body, subresource, answered, agent, &report->delivery, &err);
    if (r < 0) {
        report->delivery = NULL;
        failed(agent, r, 0, &err);
    }
}

static void create_self(struct hf_agent *agent)
{
    _cleanup_(hf_json_freep) json_t *body = NULL;

    if (hf_status_object(agent->params.node_name, &body) < 0)
        return;
    agent->report.creating = true;
    apply(agent, body, NULL);
}

static int make_body(struct hf_agent *agent, json_t **ret_body)
{
    struct hf_now now = hf_now_read(agent->clock);
    struct hf_status_volatile moving = {
        .sequence = next_sequence(agent),
        .observed_unix_ns = told(agent, now.unix_ns),
        .contact_unix_ns = told(agent, hf_stale_contact_unix_ns(&agent->stale)),
        .has_offset = agent->skew.known,
        .offset_ns = hf_skew_offset_ns(&agent->skew, now.mono_ns, now.unix_ns),
        .telemetry = agent->params.telemetry != NULL ? agent->params.telemetry(agent->params.arg) : NULL,
    };

    return hf_status_body(agent->params.node_name, agent->report.essence, &moving, ret_body);
}

static void write_status(struct hf_agent *agent)
{
    _cleanup_(hf_json_freep) json_t *body = NULL;
    struct report *report = &agent->report;

    report->pace.changed = report->pace.urgent = false; /* what changed while the object was made is in it */
    if (make_body(agent, &body) < 0)
        return;
    show(agent, body);
    if (report->outbox && !hf_status_same(report->parked, report->essence))
        write_outbox(agent, body);
    report->sent = report->sequence;
    apply(agent, body, "status");
}

/* Nobody can be reached: the latest waits on the disk for contact. That it is the latest is said at each interval, in memory where
 * there is a place for it. */
static void park(struct hf_agent *agent)
{
    _cleanup_(hf_json_freep) json_t *body = NULL;
    struct hf_pace *pace = &agent->report.pace;

    if (make_body(agent, &body) == 0) {
        show(agent, body);
        if (pace->changed || agent->params.run_path == NULL)
            write_outbox(agent, body);
    }
    hf_pace_parked(pace, agent->policy->interval_ns, agent->params.rng, hf_mono_ns(agent->clock));
}

static bool waits_for_self(const struct hf_agent *agent, uint64_t now, uint64_t *ret_until)
{
    *ret_until = agent->report.uncertain ? HF_NEVER : agent->report.contact_ns + SELF_WAIT_NS;
    return agent->params.source_echoes && !agent->follows[FOLLOW_SELF].synced && now < *ret_until;
}

void hf_report_send_if_due(struct hf_agent *agent)
{
    struct report *report = &agent->report;
    uint64_t now = hf_mono_ns(agent->clock), until;
    struct hf_err err = HF_ERR_INIT;

    if (report->adoptions > MAX_ADOPTIONS && now - report->adopted_ns > ADOPTION_MEMORY_NS) {
        report->adoptions = 0;
        hf_report_build(agent);
    }
    if (now >= report->look_again_ns)
        hf_report_build(agent);
    if (report->delivery != NULL && now >= report->give_up_ns) {
        agent->params.source->abandon(agent->params.source->ctx, report->delivery);
        report->delivery = NULL;
        report->creating = false;
        (void)hf_err_set(&err, ETIMEDOUT, "no answer within the policy's timeout");
        failed(agent, -ETIMEDOUT, 0, &err);
    }
    if (now >= report->keep_ns)
        keep(agent);
    if (report->essence == NULL || now < hf_pace_due_ns(&report->pace))
        return;
    if (!hf_follow_delivers(agent)) {
        park(agent);
        return;
    }
    if (waits_for_self(agent, now, &until))
        return;
    hf_pace_started(&report->pace, now);
    if (agent->params.source_echoes && !report->exists)
        create_self(agent);
    else
        write_status(agent);
}

uint64_t hf_report_wait_until_ns(const struct hf_agent *agent)
{
    uint64_t due = hf_pace_due_ns(&agent->report.pace), now = hf_mono_ns(agent->clock), until;

    if (agent->report.delivery != NULL)
        due = agent->report.give_up_ns;
    else if (due != HF_NEVER && hf_follow_delivers(agent) && waits_for_self(agent, now, &until))
        due = HF_MAX(due, until);
    return HF_MIN(HF_MIN(due, agent->report.look_again_ns), agent->report.keep_ns);
}

void hf_report_stop(struct hf_agent *agent, bool say_so)
{
    _cleanup_(hf_json_freep) json_t *body = NULL;
    struct report *report = &agent->report;

    if (report->delivery != NULL)
        agent->params.source->abandon(agent->params.source->ctx, report->delivery);
    report->delivery = NULL;
    if (!say_so || report->essence == NULL)
        return;
    build(agent, true);
    if (make_body(agent, &body) < 0)
        return;
    show(agent, body);
    if (!agent->stale.connected || (agent->params.source_echoes && !report->exists))
        return; /* what waits in the outbox is what there is to deliver; that nobody runs is seen without it */
    apply(agent, body, "status");
    report->give_up_ns = hf_mono_ns(agent->clock) + LAST_WORD_NS;
    hf_agent_wake(agent, 0); /* which sees to it that it is not waited for longer */
}

bool hf_report_stopped(struct hf_agent *agent)
{
    struct report *report = &agent->report;

    if (report->delivery == NULL)
        return true;
    if (hf_mono_ns(agent->clock) < report->give_up_ns)
        return false;
    agent->params.source->abandon(agent->params.source->ctx, report->delivery);
    report->delivery = NULL;
    return true;
}

/* ---- what is heard ------------------------------------------------------------------------------------------------ */

void hf_report_contact(struct hf_agent *agent, uint64_t spread_ns)
{
    uint64_t now = hf_mono_ns(agent->clock);

    agent->report.contact_ns = now;
    hf_backoff_reset(&agent->report.backoff);
    hf_pace_changed(&agent->report.pace, true, now);
    hf_pace_retry(&agent->report.pace, spread_ns, now);
}

/* Conditions that stand as they stood before this life began have stood since then. */
static void adopt_times(struct hf_agent *agent, const json_t *theirs)
{
    for (size_t i = 0; i < json_array_size(agent->report.conditions); i++) {
        json_t *ours = json_array_get(agent->report.conditions, i);
        for (size_t k = 0; k < json_array_size(theirs); k++) {
            const json_t *other = json_array_get(theirs, k);
            json_t *since = json_object_get(other, "lastTransitionTime");
            if (json_is_string(since) && json_equal(json_object_get(ours, "type"), json_object_get(other, "type")) &&
                json_equal(json_object_get(ours, "status"), json_object_get(other, "status")))
                (void)json_object_set(ours, "lastTransitionTime", since);
        }
    }
}

/* Our disk knew less than the server: a restored image, or another agent with this node's name. */
static void adopt_sequence(struct hf_agent *agent, uint64_t theirs)
{
    struct report *report = &agent->report;
    uint64_t now = hf_mono_ns(agent->clock);

    hf_log(agent->log, HF_LOG_WARNING, "status.sequence_adopted", HF_D("ours", report->sequence),
           HF_D("theirs", theirs));
    if (report->adoptions > 0 && now - report->adopted_ns > ADOPTION_MEMORY_NS)
        report->adoptions = 0;
    report->adoptions++;
    report->adopted_ns = now;
    report->sequence = theirs;
    if (report->adoptions <= MAX_ADOPTIONS) { /* else the heartbeat is soon enough */
        report->told = false;
        hf_pace_changed(&report->pace, false, now);
    }
}

void hf_report_heard_self(struct hf_agent *agent, const json_t *self)
{
    struct report *report = &agent->report;
    uint64_t theirs = (uint64_t)HF_MAX(hf_json_int_or(self, "status.sequence", 0), 0);
    bool first = !report->heard;

    report->exists = self != NULL;
    report->generation = hf_json_int_or(self, "metadata.generation", 0);
    report->heard = true;
    if (self == NULL) {
        hf_pace_changed(&report->pace, false, hf_mono_ns(agent->clock));
    } else if (theirs > report->sequence) {
        adopt_sequence(agent, theirs);
    } else if (theirs < report->heard_sequence) {
        /* A duplicate of an older write arrived late and won: say the newest again. */
        hf_pace_changed(&report->pace, false, hf_mono_ns(agent->clock));
    } else if (report->sent != 0 && theirs >= report->sent) {
        report->sent = 0;
        clear_outbox(agent);
    }
    report->heard_sequence = self == NULL ? 0 : HF_MAX(report->heard_sequence, theirs);
    if (first)
        adopt_times(agent, hf_json_at(self, "status.conditions"));
    hf_agent_wake(agent, DUE_STATUS);
}

/* ---- life --------------------------------------------------------------------------------------------------------- */

int hf_report_init(struct hf_agent *agent, struct hf_err *err)
{
    struct report *report = &agent->report;

    hf_pace_init(&report->pace, agent->params.source_echoes ? HF_PACE_GAP_NS : LOCAL_GAP_NS, hf_mono_ns(agent->clock));
    report->backoff = (struct hf_backoff){.base_ns = HF_NS_PER_S, .cap_ns = agent->policy->retry_interval_ns};
    hf_steady_init(&report->steady);
    report->keep_ns = HF_NEVER;
    report->conditions = json_array();
    if (report->conditions == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    read_sequence(agent);
    read_outbox(agent);
    return 0;
}

void hf_report_done(struct hf_agent *agent)
{
    struct report *report = &agent->report;

    if (report->delivery != NULL)
        agent->params.source->abandon(agent->params.source->ctx, report->delivery);
    report->delivery = NULL;
    json_decref(report->essence);
    json_decref(report->parked);
    json_decref(report->conditions);
    hf_steady_done(&report->steady);
}
