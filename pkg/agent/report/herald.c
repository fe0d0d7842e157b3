/* SPDX-License-Identifier: Apache-2.0 */
/* sync/outcomes.h and sync/notices.h decide what to report and when; this file makes the Event objects and sends
 * them. Notices that wait for an unreachable server are in <state>/events.json, so that a restart does not lose
 * them; the file exists only while notices wait. The agent drops an Event that the server refuses, and logs only the
 * first of several refusals in a row. If the server permits no Events at all (403 or 404), the next waits ten
 * minutes. */
#include "agent/report/herald.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "agent/counters.h"
#include "agent/desired/own_edgenode.h"
#include "agent/desired/resync.h"
#include "agent/diskq.h"
#include "agent/follow/follow.h"
#include "agent/report/notice_file.h"
#include "agent/resources/disks.h"
#include "agent/turn.h"
#include "base/format.h"
#include "codec/plain.h"
#include "codec/sha256.h"
#include "os/file.h"
#include "update/engine.h"

/* The group of Events about cluster-scoped objects: the API server wants them in this namespace. */
#define EVENTS_VERSION "events.k8s.io/v1"
#define EVENTS_NAMESPACE "default"
#define EVENTS_NAME_MAX 253
#define INSTANCE_MAX 128 /* of reportingInstance, by the API */

#define REFUSED_PAUSE_NS (600 * HF_NS_PER_S)
#define OUTAGE_SPREAD_NS (300 * HF_NS_PER_S)
#define TIMEOUT_NS (30 * HF_NS_PER_S)

void hf_herald_init(struct hf_herald *herald, const struct hf_agent_env *env, const struct hf_agent_parts *parts)
{
    *herald = (struct hf_herald){.env = env,
                                 .parts = parts,
                                 .salt = env->world.rng->u64(env->world.rng->ctx),
                                 .backoff = {.base_ns = HF_NS_PER_S, .cap_ns = 300 * HF_NS_PER_S}};
    hf_outcomes_init(&herald->outcomes);
}

void hf_herald_done(struct hf_herald *herald)
{
    if (herald->env == NULL)
        return;
    hf_kube_call_cancel(herald->pending);
    herald->pending = NULL;
    hf_notices_done(&herald->notices);
    hf_outcomes_done(&herald->outcomes);
}

/* Nobody knows how a MetaServer handles Events, so none go there. */
static bool has_server(const struct hf_herald *herald)
{
    const struct hf_kube *kube = herald->env->params->events;

    return kube != NULL && !hf_kube_is_metaserver(kube);
}

static void count_dropped(struct hf_herald *herald)
{
    for (; herald->dropped_seen < herald->notices.dropped; herald->dropped_seen++)
        hf_counters_add(herald->env->counters->events, "dropped");
}

static void add(struct hf_herald *herald, enum hf_notice_reason reason, const char *text)
{
    const struct hf_contact *contact = herald->parts->contact;

    hf_notices_add(&herald->notices, reason, hf_contact_reported(contact, hf_unix_ns(herald->env->world.clock)), text);
    count_dropped(herald);
}

void hf_herald_tell(struct hf_herald *herald, enum hf_notice_reason reason, const char *text)
{
    if (has_server(herald))
        add(herald, reason, text);
}

/* ---- what happened ----------------------------------------------------------------------------------------------- */

static void see(void *arg, const struct hf_update_status *status)
{
    struct hf_herald *herald = arg;
    enum hf_notice_reason reason = hf_outcomes_see(&herald->outcomes, status, hf_mono_ns(herald->env->world.clock));
    char text[HF_NOTICES_TEXT];

    switch (reason) {
    case HF_NOTICE_COMMITTED:
        (void)snprintf(text, sizeof(text), "%s %s is committed%s%s: %s", status->name, status->version,
                       status->from[0] != '\0' ? "; before it ran " : "", status->from, status->message);
        break;
    case HF_NOTICE_ROLLED_BACK:
        (void)snprintf(text, sizeof(text), "%s %s was rolled back, and %s runs: %s: %s", status->name, status->version,
                       status->installed[0] != '\0' ? status->installed : "nothing", status->reason, status->message);
        break;
    case HF_NOTICE_REJECTED:
        (void)snprintf(text, sizeof(text), "%s %s is rejected: %s: %s", status->name, status->version, status->reason,
                       status->message);
        break;
    default:
        return;
    }
    add(herald, reason, text);
}

static void look_at_contact(struct hf_herald *herald)
{
    struct hf_contact *contact = herald->parts->contact;
    bool stale = contact->staleness != HF_STALE_FRESH;
    char text[HF_NOTICES_TEXT], span[HF_DURATION_TEXT], since[HF_TIME_TEXT];

    if (stale && contact->stale.this_life) {
        uint64_t age = hf_stale_age_ns(&contact->stale, hf_now_read(herald->env->world.clock));
        herald->longest_ns = age == HF_NEVER ? herald->longest_ns : HF_MAX(herald->longest_ns, age);
    }
    if (stale == herald->away || !contact->stale.this_life)
        return;
    herald->away = stale;
    if (stale) {
        uint64_t last = hf_contact_reported(contact, hf_stale_contact_unix_ns(&contact->stale));
        (void)snprintf(text, sizeof(text),
                       "no contact with the source of desired state since %s; the node goes on with what it has",
                       hf_format_time(last, since));
    } else {
        uint64_t whole_s = herald->longest_ns / HF_NS_PER_S * HF_NS_PER_S;
        (void)snprintf(text, sizeof(text), "contact with the source of desired state again, after at least %s",
                       hf_format_duration(whole_s, span));
        herald->longest_ns = 0;
    }
    add(herald, stale ? HF_NOTICE_WENT_STALE : HF_NOTICE_CAME_BACK, text);
}

/* Once for each change of the reason, not for each change of the figures. */
static void look_at_disks(struct hf_herald *herald)
{
    const struct hf_disks_condition *now = &herald->parts->disks->pressure;

    if ((now->reason == NULL) == (herald->pressure == NULL) &&
        (now->reason == NULL || strcmp(now->reason, herald->pressure) == 0))
        return;
    if (now->reason != NULL)
        add(herald, HF_NOTICE_DISK_PRESSURE, now->text);
    else
        add(herald, HF_NOTICE_DISK_RELIEVED, "all file systems that the policy watches are below their levels again");
    herald->pressure = now->reason;
}

/* Several leaps between two looks are one notice, which tells the last one. */
static void look_at_clock(struct hf_herald *herald)
{
    const struct hf_resync *resync = herald->parts->resync;
    uint64_t size = resync->leap_ns < 0 ? 0 - (uint64_t)resync->leap_ns : (uint64_t)resync->leap_ns;
    char text[HF_NOTICES_TEXT], span[HF_DURATION_TEXT];

    if (resync->leaps == herald->leaps_seen)
        return;
    herald->leaps_seen = resync->leaps;
    (void)snprintf(text, sizeof(text), "the wall clock of this node leapt %s by %s",
                   resync->leap_ns < 0 ? "back" : "forward",
                   hf_format_duration(size / HF_NS_PER_S * HF_NS_PER_S, span));
    add(herald, HF_NOTICE_CLOCK_STEPPED, text);
}

void hf_herald_look(struct hf_herald *herald)
{
    if (!has_server(herald)) { /* the server may have turned out to be a MetaServer */
        herald->outcomes.look_again_ns = HF_NEVER;
        return;
    }
    hf_outcomes_begin(&herald->outcomes);
    hf_update_engine_each(herald->parts->engine, see, herald);
    hf_outcomes_end(&herald->outcomes);
    look_at_contact(herald);
    look_at_disks(herald);
    look_at_clock(herald);
}

/* ---- the Event --------------------------------------------------------------------------------------------------- */

/* The same for each try of one notice, so that a lost answer does not make a second Event. */
static int make_name(const struct hf_herald *herald, const struct hf_notice *notice, char name[EVENTS_NAME_MAX + 1])
{
    const char *node = herald->env->params->node_name;
    char text[HF_NOTICES_TEXT + 128], hex[HF_SHA256_HEX];
    int n = snprintf(text, sizeof(text), "%016" PRIx64 "/%" PRIu64 "/%" PRIu64 "/%s", herald->salt, notice->number,
                     notice->unix_ns, notice->text);

    (void)hf_sha256_hex(text, HF_MIN((size_t)n, sizeof(text) - 1), hex);
    return snprintf(name, EVENTS_NAME_MAX + 1, "%s.%.16s", node, hex) <= EVENTS_NAME_MAX ? 0 : -ENAMETOOLONG;
}

/* RFC 3339 with microseconds, which is the only form of a MicroTime. */
static void format_micro_time(uint64_t unix_ns, char text[HF_TIME_TEXT + 8])
{
    char seconds[HF_TIME_TEXT];
    const char *whole = hf_format_time(unix_ns / HF_NS_PER_S * HF_NS_PER_S, seconds);

    (void)snprintf(text, HF_TIME_TEXT + 8, "%.19s.%06" PRIu64 "Z", whole, (uint64_t)(unix_ns % HF_NS_PER_S / 1000));
}

static json_t *make_event(const struct hf_herald *herald, const struct hf_notice *notice, const char *name)
{
    const char *node = herald->env->params->node_name;
    char time[HF_TIME_TEXT + 8], instance[INSTANCE_MAX + 1];

    format_micro_time(notice->unix_ns, time);
    (void)snprintf(instance, sizeof(instance), "%.*s", INSTANCE_MAX, node);
    return json_pack("{s:s, s:s, s:{s:s, s:s}, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s, s:s}}",
                     "apiVersion", EVENTS_VERSION, "kind", "Event", "metadata", "name", name, "namespace",
                     EVENTS_NAMESPACE, "eventTime", time, "reportingController", HF_FIELD_MANAGER, "reportingInstance",
                     instance, "action", hf_notice_action(notice->reason), "reason",
                     hf_notice_reason_name(notice->reason), "note", notice->text, "type",
                     hf_notice_is_warning(notice->reason) ? "Warning" : "Normal", "regarding", "apiVersion",
                     HF_API_GROUP_VERSION, "kind", "EdgeNode", "name", node, "uid", herald->parts->own_edgenode->uid);
}

/* ---- sending ----------------------------------------------------------------------------------------------------- */

static void end(struct hf_herald *herald, enum hf_notices_result result, uint64_t delay_ns)
{
    static const char *const results[] = {
        [HF_NOTICES_SENT] = "sent", [HF_NOTICES_REFUSED] = "refused", [HF_NOTICES_LATER] = "failed"};

    hf_notices_end(&herald->notices, result, delay_ns, hf_mono_ns(herald->env->world.clock));
    if (result == HF_NOTICES_REFUSED)
        herald->dropped_seen++; /* counted as refused */
    hf_counters_add(herald->env->counters->events, results[result]);
    hf_turn_wake(herald->env->turn, 0);
}

static void log_refused(struct hf_herald *herald, const struct hf_err *err)
{
    if (!herald->refused)
        hf_log_err(herald->env->world.log, HF_LOG_WARNING, "events.refused", "node", herald->env->params->node_name,
                   err);
    herald->refused = true;
}

static void failed(struct hf_herald *herald, int r, uint64_t retry_after_ns, const struct hf_err *err)
{
    bool no_right = r == -EACCES || r == -ENOENT;

    if (no_right || r == -EBADMSG || r == -EINVAL || r == -E2BIG || r == -ENAMETOOLONG) {
        log_refused(herald, err);
        end(herald, HF_NOTICES_REFUSED, no_right ? REFUSED_PAUSE_NS : 0);
        return;
    }
    end(herald, HF_NOTICES_LATER, hf_backoff_next_ns(&herald->backoff, herald->env->world.rng, retry_after_ns));
}

static void answered(void *arg, const struct hf_kube_answer *answer)
{
    struct hf_herald *herald = arg;

    herald->pending = NULL;
    if (answer->r < 0 && answer->r != -EEXIST) {
        failed(herald, answer->r, answer->retry_after_ns, &answer->err);
        return;
    }
    herald->refused = false;
    hf_backoff_reset(&herald->backoff);
    end(herald, HF_NOTICES_SENT, 0);
}

static void send_oldest(struct hf_herald *herald)
{
    const struct hf_notice *notice = hf_notices_begin(&herald->notices, hf_mono_ns(herald->env->world.clock));
    char name[EVENTS_NAME_MAX + 1];
    struct hf_err err = HF_ERR_INIT;
    int r = make_name(herald, notice, name);

    if (r < 0) {
        (void)hf_err_set(&err, ENAMETOOLONG, "the node's name is too long for the name of an Event");
        failed(herald, r, 0, &err);
        return;
    }
    _cleanup_(hf_json_freep) json_t *event = make_event(herald, notice, name);
    const struct hf_kube_call call = HF_KUBE_CALL(HF_KUBE_CREATE, EVENTS_VERSION, "events", NULL,
                                                  .ns = EVENTS_NAMESPACE, .body = event, .timeout_ns = TIMEOUT_NS);
    r = event == NULL || hf_plain_tree(event) < 0
            ? hf_err_set(&err, ENOMEM, "out of memory")
            : hf_kube_call_send(herald->env->params->events, &call, answered, herald, &herald->pending, &err);
    if (r < 0)
        failed(herald, r, 0, &err);
}

/* The Event names the uid of the EdgeNode: `kubectl describe` finds it by that. */
static bool may_send(const struct hf_herald *herald)
{
    return has_server(herald) && hf_follow_delivers(herald->parts->follows) &&
           herald->parts->own_edgenode->uid[0] != '\0';
}

void hf_herald_reachable(struct hf_herald *herald, uint64_t spread_ns)
{
    hf_backoff_reset(&herald->backoff);
    herald->notices.not_before_ns = hf_mono_ns(herald->env->world.clock);
    if (spread_ns != 0)
        herald->notices.not_before_ns += hf_rand_below(herald->env->world.rng, OUTAGE_SPREAD_NS);
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static const char *path_of(const struct hf_herald *herald, char path[PATH_MAX])
{
    return hf_home_path(herald->env->params->home, "events.json", path);
}

void hf_herald_load(struct hf_herald *herald)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_NOTICE_FILE_MAX);
    struct hf_err err = HF_ERR_INIT;
    char path[PATH_MAX];

    if (herald->env->params->events == NULL)
        return;
    int r = hf_file_read(herald->env->world.fs, path_of(herald, path), &text, &err);
    if (r == -ENOENT)
        return;
    herald->has_file = true;
    if (r == 0)
        r = hf_notice_file_parse(hf_buf_view(&text), &herald->notices, &herald->salt, &err);
    if (r < 0)
        hf_log_err(herald->env->world.log, HF_LOG_WARNING, "events.lost", "file", path, &err);
    herald->kept = herald->notices.added;
}

/* A notice that leaves at once needs no file. Notices that the server has taken stay in the file until the last one
 * has left: an Event of the same name is no second Event. */
static void keep(struct hf_herald *herald)
{
    const struct hf_notices *notices = &herald->notices;
    bool waits = herald->pending == NULL || herald->parts->contact->staleness != HF_STALE_FRESH;
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_NOTICE_FILE_MAX);
    char path[PATH_MAX];

    if (notices->n == 0 && herald->has_file) {
        hf_diskq_erase(herald->env->diskq, path_of(herald, path));
        herald->has_file = false;
        herald->kept = 0;
    }
    if (notices->n == 0 || !waits || herald->kept == notices->added ||
        hf_notice_file_format(notices, herald->salt, &text) < 0)
        return;
    hf_diskq_write(herald->env->diskq, path_of(herald, path), hf_buf_view(&text));
    herald->has_file = true;
    herald->kept = notices->added;
}

void hf_herald_send_if_due(struct hf_herald *herald)
{
    if (hf_mono_ns(herald->env->world.clock) >= herald->outcomes.look_again_ns)
        hf_herald_look(herald);
    if (may_send(herald) && hf_mono_ns(herald->env->world.clock) >= hf_notices_due_ns(&herald->notices))
        send_oldest(herald);
    keep(herald);
}

uint64_t hf_herald_wait_until_ns(const struct hf_herald *herald)
{
    uint64_t due = may_send(herald) ? hf_notices_due_ns(&herald->notices) : HF_NEVER;

    return HF_MIN(due, herald->outcomes.look_again_ns);
}
