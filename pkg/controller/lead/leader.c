/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/lead/leader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/parse.h"
#include "web/metrics.h"

#define LEASES "coordination.k8s.io/v1"
#define CALL_TIMEOUT_NS (5 * HF_NS_PER_S) /* half the renew deadline: a second attempt fits */

struct hf_leader {
    struct hf_leader_params p;
    struct hf_lease lease;
    struct hf_timer *timer;
    struct hf_kube_pending *pending;
    json_t *object;      /* the Lease of the last answer; NULL: none */
    uint64_t told_epoch; /* argument of the last call of `changed` */
    uint64_t heard_ns;   /* last answer of the server */
    uint64_t version;    /* resourceVersion of the last answer as a number; 0: none, or it is not a number */
    struct hf_metric *leads, *changes;
    void (*released)(void *arg);
    void *released_arg;
};

static void turn(struct hf_leader *leader);

static uint64_t now_of(const struct hf_leader *leader)
{
    return hf_mono_ns(leader->p.world.clock);
}

bool hf_leader_leads(const struct hf_leader *leader)
{
    return leader->p.alone ? leader->told_epoch != 0 : hf_lease_leads(&leader->lease, now_of(leader));
}

static void report(struct hf_leader *leader)
{
    const char *holder = leader->lease.seen.holder;
    uint64_t epoch = !leader->p.alone          ? hf_leader_leads(leader) ? leader->lease.epoch : 0
                     : leader->lease.releasing ? 0
                                               : leader->lease.floor + 1;

    if (leader->p.alone && epoch != 0 && leader->told_epoch != 0 && leader->lease.floor <= leader->told_epoch)
        epoch = leader->told_epoch; /* its own epochs come back as the floor */
    if (epoch == leader->told_epoch)
        return;
    leader->told_epoch = epoch;
    if (leader->p.alone) /* no Lease says it */
        leader->lease.highest = HF_MAX(leader->lease.highest, epoch);
    hf_metric_set(leader->leads, epoch != 0);
    hf_metric_add(leader->changes, 1);
    hf_log(leader->p.world.log, HF_LOG_INFO, epoch != 0 ? "leader.acquired" : "leader.lost",
           HF_S("identity", leader->lease.identity), HF_D("epoch", epoch), HF_S("holder", holder));
    leader->p.changed(leader->p.arg, epoch);
}

/* ---- the object -------------------------------------------------------------------------------------------------- */

static void read_record(const json_t *object, struct hf_lease_record *record)
{
    int64_t transitions = hf_json_int_or(object, "spec.leaseTransitions", 0);
    int64_t duration_s = hf_json_int_or(object, "spec.leaseDurationSeconds", 0);

    *record = (struct hf_lease_record){
        .transitions = transitions > 0 && transitions <= INT32_MAX ? (uint64_t)transitions : 0,
        .duration_ns = duration_s > 0 && duration_s <= INT32_MAX ? (uint64_t)duration_s * HF_NS_PER_S : 0,
    };
    (void)snprintf(record->holder, sizeof(record->holder), "%s", hf_json_str_or(object, "spec.holderIdentity", ""));
    (void)snprintf(record->renewed, sizeof(record->renewed), "%s", hf_json_str_or(object, "spec.renewTime", ""));
}

static void format_micro_time(uint64_t unix_ns, char text[HF_LEASE_TIME])
{
    char seconds[HF_TIME_TEXT];

    (void)snprintf(text, HF_LEASE_TIME, "%.19s.%06uZ", hf_format_time(unix_ns, seconds),
                   (unsigned)(unix_ns % HF_NS_PER_S / HF_NS_PER_US));
}

static int put_spec(const struct hf_leader *leader, json_t *object, bool take)
{
    const struct hf_lease *lease = &leader->lease;
    bool release = lease->busy == HF_LEASE_RELEASE;
    char now[HF_LEASE_TIME];
    json_int_t duration_s = release ? 1 : (json_int_t)(lease->timing.duration_ns / HF_NS_PER_S);

    format_micro_time(hf_unix_ns(leader->p.world.clock), now);
    int r = hf_json_put(object, "spec.holderIdentity", json_string(release ? "" : lease->identity));
    if (r == 0)
        r = hf_json_put(object, "spec.leaseDurationSeconds", json_integer(duration_s));
    if (r == 0)
        r = hf_json_put(object, "spec.renewTime", json_string(now));
    if (r == 0 && take)
        r = hf_json_put(object, "spec.acquireTime", json_string(now));
    return r == 0 ? hf_json_put(object, "spec.leaseTransitions", json_integer((json_int_t)lease->writes_epoch)) : r;
}

/* The object to write. Metadata that others put there stays. */
static json_t *make_object(const struct hf_leader *leader)
{
    const struct hf_lease *lease = &leader->lease;
    bool create = lease->busy == HF_LEASE_CREATE;
    json_t *object = create ? json_pack("{s:s, s:s, s:{s:s, s:s}, s:{}}", "apiVersion", LEASES, "kind", "Lease",
                                        "metadata", "name", leader->p.name, "namespace", leader->p.ns, "spec")
                            : json_deep_copy(leader->object);

    (void)json_object_del(json_object_get(object, "metadata"), "managedFields");
    if (object != NULL && put_spec(leader, object, create || lease->writes_epoch != lease->epoch) < 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

/* Every request for the Lease goes to the store of the API server, never to a cache, and one ends before the next one
 * begins. So a version below that of an earlier answer is no late answer: the store has gone back. */
static void check_version(struct hf_leader *leader, const json_t *object)
{
    uint64_t version = 0, before = leader->version;

    if (hf_parse_u64(hf_json_str_or(object, "metadata.resourceVersion", ""), 1, UINT64_MAX, &version) < 0)
        return;
    leader->version = version;
    if (version >= before)
        return;
    hf_log(leader->p.world.log, HF_LOG_WARNING, "lease.went_back", HF_S("lease", leader->p.name), HF_D("from", before),
           HF_D("to", version));
    if (leader->p.went_back != NULL)
        leader->p.went_back(leader->p.arg);
}

static void answered(void *arg, const struct hf_kube_answer *answer)
{
    struct hf_leader *leader = arg;
    struct hf_lease_record record;

    leader->pending = NULL;
    if (answer->r == 0 || answer->r == -ENOENT || answer->r == -ESTALE || answer->r == -EEXIST)
        leader->heard_ns = now_of(leader);
    if (answer->r == 0) {
        json_decref(leader->object);
        leader->object = json_incref(hf_json_mutable(answer->object));
        read_record(answer->object, &record);
        check_version(leader, answer->object);
    } else if (answer->r != -ENOENT && answer->r != -ESTALE && answer->r != -EEXIST) {
        hf_log(leader->p.world.log, HF_LOG_WARNING, "lease.failed", HF_S("lease", leader->p.name),
               HF_S("namespace", leader->p.ns), HF_S("error", HF_ERR_TEXT(&answer->err)));
    }
    hf_lease_answer(&leader->lease, now_of(leader), answer->r, answer->retry_after_ns, answer->r == 0 ? &record : NULL);
    turn(leader);
}

static int send(struct hf_leader *leader, enum hf_lease_want want, struct hf_err *err)
{
    static const enum hf_kube_verb verbs[] = {[HF_LEASE_READ] = HF_KUBE_GET,
                                              [HF_LEASE_CREATE] = HF_KUBE_CREATE,
                                              [HF_LEASE_WRITE] = HF_KUBE_UPDATE,
                                              [HF_LEASE_RELEASE] = HF_KUBE_UPDATE};
    _cleanup_(hf_json_freep) json_t *body = want == HF_LEASE_READ ? NULL : make_object(leader);
    const struct hf_kube_call call =
        HF_KUBE_CALL(verbs[want], LEASES, "leases", want == HF_LEASE_CREATE ? NULL : leader->p.name, .ns = leader->p.ns,
                     .body = body, .timeout_ns = CALL_TIMEOUT_NS);

    if (want != HF_LEASE_READ && body == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    return hf_kube_call_send(leader->p.kube, &call, answered, leader, &leader->pending, err);
}

static void arm(struct hf_leader *leader)
{
    const struct hf_sched_ops *sched = leader->p.world.sched;
    uint64_t due = hf_lease_due(&leader->lease), now = now_of(leader);

    if (due == UINT64_MAX)
        hf_timer_disarm(sched, leader->timer);
    else
        hf_timer_arm(sched, leader->timer, due > now ? due - now : 0);
}

static void turn(struct hf_leader *leader)
{
    struct hf_err err = HF_ERR_INIT;
    enum hf_lease_want want = leader->p.alone ? HF_LEASE_NOTHING : hf_lease_tick(&leader->lease, now_of(leader));

    report(leader);
    if (want != HF_LEASE_NOTHING) {
        int r = send(leader, want, &err);
        if (r < 0) {
            hf_log_err(leader->p.world.log, HF_LOG_WARNING, "lease.failed", "lease", leader->p.name, &err);
            hf_lease_answer(&leader->lease, now_of(leader), r, 0, NULL);
        }
    }
    if (!leader->p.alone)
        arm(leader);
    if (leader->released != NULL && (leader->p.alone || hf_lease_is_released(&leader->lease))) {
        void (*released)(void *arg) = leader->released;
        leader->released = NULL;
        released(leader->released_arg);
    }
}

static void fire(void *arg)
{
    turn(arg);
}

struct hf_leader *hf_leader_new(const struct hf_leader_params *params, struct hf_err *err)
{
    static const struct hf_lease_timing timing = {.duration_ns = HF_LEASE_DURATION_NS,
                                                  .renew_deadline_ns = HF_LEASE_RENEW_DEADLINE_NS,
                                                  .retry_ns = HF_LEASE_RETRY_NS};
    struct hf_leader *leader = calloc(1, sizeof(*leader));
    const struct hf_sched_ops *sched = params->world.sched;

    if (leader != NULL)
        leader->timer = hf_timer_new(sched, fire, leader);
    if (leader == NULL || leader->timer == NULL) {
        free(leader);
        (void)hf_err_set(err, ENOMEM, "out of memory");
        return NULL;
    }
    leader->p = *params;
    hf_lease_init(&leader->lease, params->identity, &timing);
    leader->leads = hf_metric_gauge(params->world.metrics, "holdfast_controller_leader", "1 if this replica leads.");
    leader->changes = hf_metric_counter(params->world.metrics, "holdfast_controller_leader_changes_total",
                                        "Number of times that this replica began or ceased to lead.");
    hf_timer_arm(sched, leader->timer, 0);
    return leader;
}

void hf_leader_free(struct hf_leader *leader)
{
    if (leader == NULL)
        return;
    hf_kube_call_cancel(leader->pending);
    hf_timer_free(leader->p.world.sched, leader->timer);
    json_decref(leader->object);
    free(leader);
}

uint64_t hf_leader_heard_ns(const struct hf_leader *leader)
{
    return leader->heard_ns;
}

bool hf_leader_floor(struct hf_leader *leader, uint64_t epoch)
{
    bool taken = hf_lease_floor(&leader->lease, epoch);

    if (leader->p.alone && leader->lease.floor > leader->told_epoch)
        hf_timer_arm(leader->p.world.sched, leader->timer, 0);
    return taken;
}

const char *hf_leader_annotation(const struct hf_leader *leader, const char *key)
{
    return json_string_value(json_object_get(hf_json_at(leader->object, "metadata.annotations"), key));
}

void hf_leader_release(struct hf_leader *leader, void (*released)(void *arg), void *arg)
{
    if (leader->lease.releasing)
        return;
    leader->released = released;
    leader->released_arg = arg;
    hf_lease_release(&leader->lease, now_of(leader));
    turn(leader);
}
