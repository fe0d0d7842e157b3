/* SPDX-License-Identifier: Apache-2.0 */
/* Sampling depends only on the event's id (or its source, time, name and body), so an event that comes again gets
 * the same decision, and a larger fraction keeps every event that a smaller fraction keeps.
 *
 * Each rate limit has a token bucket for each source name and owner, so that nobody uses up the rate of another one.
 * One more bucket of each rate limit and owner serves all names that are empty, longer than HF_FILTER_SOURCE, or
 * left without a bucket. The agent's own sources may have all HF_FILTER_BUCKETS, one poster HF_FILTER_OWNED of them,
 * all posters together half. */
#include "telemetry/pipeline/filter.h"

#include "telemetry/event/hash.h"
#include "telemetry/event/match.h"

void hf_filter_init(struct hf_filter *filter, const struct hf_telemetry *spec)
{
    *filter = (struct hf_filter){.spec = spec};
}

void hf_filter_done(struct hf_filter *filter)
{
    free(filter->buckets);
    *filter = (struct hf_filter){0};
}

bool hf_filter_drops(const struct hf_filter *filter, const struct hf_event *event)
{
    for (size_t i = 0; i < filter->spec->n_drops; i++)
        if (hf_match(&filter->spec->drops[i].match, event))
            return true;
    return false;
}

/* Returns the position of an event in 0..1; a sample keeps the events whose position is below its fraction. */
static double sample_position(const struct hf_event *event)
{
    uint64_t hash;

    if (event->id.n > 0) {
        hash = hf_hash64(event->id.p, event->id.n, 0);
    } else {
        hash = hf_hash64(event->source.p, event->source.n, event->unix_ns);
        hash = hf_hash64(event->name.p, event->name.n, hash);
        hash = hf_hash64(event->body.p, event->body.n, hash);
    }
    return (double)(hash >> 11) / 9007199254740992.0; /* 2^53 */
}

static bool in_sample(const struct hf_filter *filter, const struct hf_event *event)
{
    for (size_t i = 0; i < filter->spec->n_samples; i++)
        if (hf_match(&filter->spec->samples[i].match, event))
            return sample_position(event) < filter->spec->samples[i].keep;
    return true;
}

/* ---- rates ------------------------------------------------------------------------------------------------------- */

/* Rounded up: never more than the rate. */
static uint64_t gap_of(const struct hf_telemetry_rate *rate)
{
    return (HF_NS_PER_S + rate->per_second - 1) / rate->per_second;
}

/* The owner whose events a bucket counts. */
struct counted {
    uint32_t rule;
    uint64_t owner;
    struct hf_view source;
};

static bool is_of(const struct hf_token_bucket *bucket, const struct counted *of)
{
    struct hf_view source = of->source;

    return bucket->rule == of->rule && bucket->owner == of->owner && bucket->source_n == source.n &&
           memcmp(bucket->source, source.p, source.n) == 0;
}

/* Returns a bucket to reuse: full again, without a count to report. */
static struct hf_token_bucket *reusable(struct hf_filter *filter, uint64_t now_ns)
{
    for (size_t i = 0; i < filter->n_buckets; i++) {
        struct hf_token_bucket *bucket = &filter->buckets[i];
        if (bucket->suppressed == 0 && bucket->tokens.full_ns <= now_ns)
            return bucket;
    }
    return NULL;
}

static struct hf_token_bucket *find(struct hf_filter *filter, const struct counted *of)
{
    for (size_t i = 0; i < filter->n_buckets; i++)
        if (is_of(&filter->buckets[i], of))
            return &filter->buckets[i];
    return NULL;
}

/* True if this poster, or all posters together, have as many buckets as they may. */
static bool has_enough(const struct hf_filter *filter, uint64_t owner)
{
    size_t own = 0, posted = 0;

    for (size_t i = 0; i < filter->n_buckets; i++) {
        own += filter->buckets[i].owner == owner;
        posted += filter->buckets[i].owner != HF_OWNER_AGENT;
    }
    return owner != HF_OWNER_AGENT && (own >= HF_FILTER_OWNED || posted >= HF_FILTER_BUCKETS / 2);
}

static struct hf_token_bucket *make(struct hf_filter *filter, const struct counted *of, uint64_t now_ns)
{
    size_t shared = filter->spec->n_rates; /* places kept free for the agent's "*" of each rule */
    struct hf_token_bucket *bucket = NULL;
    bool is_shared = hf_view_eq(of->source, "*"), is_own = of->owner == HF_OWNER_AGENT;

    if (!is_shared && has_enough(filter, of->owner))
        return NULL;
    if (filter->n_buckets + (is_shared && is_own ? 0 : shared) < HF_FILTER_BUCKETS)
        bucket = &filter->buckets[filter->n_buckets++];
    else
        bucket = reusable(filter, now_ns);
    if (bucket == NULL)
        return is_shared ? &filter->buckets[0] : NULL;
    *bucket = (struct hf_token_bucket){.rule = of->rule, .owner = of->owner, .source_n = of->source.n};
    memcpy(bucket->source, of->source.p, of->source.n);
    return bucket;
}

static struct hf_token_bucket *bucket_of(struct hf_filter *filter, const struct counted *of, uint64_t now_ns)
{
    const struct counted others = {of->rule, of->owner, HF_VIEW("*")};

    if (of->source.n == 0 || of->source.n > HF_FILTER_SOURCE)
        of = &others;
    struct hf_token_bucket *bucket = find(filter, of);
    if (bucket == NULL)
        bucket = make(filter, of, now_ns);
    if (bucket == NULL)
        bucket = find(filter, &others);
    return bucket != NULL ? bucket : make(filter, &others, now_ns);
}

static bool within_rate(struct hf_filter *filter, const struct hf_event *event, uint64_t now_ns)
{
    const struct hf_telemetry *spec = filter->spec;
    uint32_t rule = 0;

    while (rule < spec->n_rates && !hf_match(&spec->rates[rule].match, event))
        rule++;
    if (rule == spec->n_rates)
        return true;
    if (filter->buckets == NULL)
        filter->buckets = calloc(HF_FILTER_BUCKETS, sizeof(*filter->buckets));
    if (filter->buckets == NULL) /* no memory to count: keep the event */
        return true;
    const struct counted of = {rule, hf_event_owner(event), event->source};
    struct hf_token_bucket *bucket = bucket_of(filter, &of, now_ns);
    const struct hf_telemetry_rate *rate = &spec->rates[bucket->rule];
    if (hf_bucket_wait_ns(&bucket->tokens, (unsigned)rate->burst, gap_of(rate), now_ns) > 0) {
        bucket->suppressed++;
        return false;
    }
    filter->taken = bucket;
    filter->taken_ns = now_ns;
    return true;
}

enum hf_filter_result hf_filter_judge(struct hf_filter *filter, const struct hf_event *event, uint64_t now_ns)
{
    enum hf_severity severity = event->severity != 0 ? event->severity : HF_SEVERITY_INFO;

    filter->taken = NULL;
    if (event->kind == HF_EVENT_LOG && severity < filter->spec->min_severity)
        return HF_FILTER_BELOW;
    if (!in_sample(filter, event))
        return HF_FILTER_SAMPLED;
    return within_rate(filter, event, now_ns) ? HF_FILTER_KEPT : HF_FILTER_LIMITED;
}

void hf_filter_commit(struct hf_filter *filter)
{
    if (filter->taken != NULL)
        hf_bucket_spend(&filter->taken->tokens, gap_of(&filter->spec->rates[filter->taken->rule]), filter->taken_ns);
    filter->taken = NULL;
}
