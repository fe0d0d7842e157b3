/* SPDX-License-Identifier: Apache-2.0 */
/* One decision about a rollout: from the strategy, the state in the object and the counts of nodes to the next
 * state, the verdict and a text for people. Pure: no clock, no memory, no effects.
 *
 * hf_rollout_step(): forget failures that are gone; take a resume; halt if too many have failed or a stage has
 * failed; settle and soak; open the next wave. hf_rollout_look() gives only the verdict. The same input always gives
 * the same decision, so a new leader continues where the last one was, and tests can try every order of events. At most
 * one stage opens in a step, none while Halted or Paused. A stage stays settled when a node returns; only time under a
 * leader's watch soaks.
 *
 * Failed nodes are judged by maxFailures alone: they lower the number for which a stage waits, so that no stage
 * waits for nodes that cannot come. A resume accepts the failures that there are, not as many others.
 *
 * The share reached (`cutoff`), not the wave's number, decides which wave opens next: after an operator's edit, no wave
 * repeats and no admission ends. A share of the slots is not that share of few nodes, so a wave admits the slots up to
 * `slots`, chosen when it opens from all known nodes. Later nodes are judged by it, and it never goes back. */
#include "rollout/rollout.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding/cut.h"
#include "base/encoding/utf8.h"
#include "base/format.h"

/* One row for each phase: its name, and what the conditions say while it lasts. */
static const char *const phase_names[HF_ROLLOUT_PHASES] = {
    [HF_ROLLOUT_CANARY] = "Canary",      [HF_ROLLOUT_CANARY_SOAK] = "CanarySoak", [HF_ROLLOUT_WAVE] = "Wave",
    [HF_ROLLOUT_WAVE_SOAK] = "WaveSoak", [HF_ROLLOUT_COMPLETE] = "Complete",      [HF_ROLLOUT_PAUSED] = "Paused",
    [HF_ROLLOUT_HALTED] = "Halted",
};

const char *hf_rollout_phase_name(enum hf_rollout_phase phase)
{
    return (unsigned)phase < HF_ROLLOUT_PHASES ? phase_names[phase] : "";
}

static void copy_text(char *out, size_t n, const char *text)
{
    (void)snprintf(out, n, "%s", text);
    hf_utf8_trim(out);
}

/* ---- the strategy ------------------------------------------------------------------------------------------------ */

void hf_rollout_spec_of(const struct hf_edgeupdate *update, struct hf_rollout_spec *ret_spec)
{
    const char *resume = hf_edgeupdate_annotation(update->json, HF_ROLLOUT_RESUME_ANNOTATION);
    struct hf_rollout_spec *spec = ret_spec;

    *spec = (struct hf_rollout_spec){
        .name = hf_json_str_or(update->json, "metadata.name", ""),
        .digest = update->release.digest,
        .selector = update->selector_hash,
        .has_canary = update->has_canary,
        .canary_mandatory = update->has_canary && update->canary_mandatory,
        .canary_soak_ns = update->canary_soak_ns,
        .n_waves = HF_MIN(update->n_waves, (size_t)HF_MAX_WAVES),
        .max_failures = update->max_failures,
        .min_updated = update->min_updated,
        .min_updated_after_ns = update->min_updated_after_ns,
        .suspend = update->suspend,
        .paused = hf_edgeupdate_is_paused(update->json),
        .halt = hf_edgeupdate_annotation(update->json, HF_ROLLOUT_HALTED_ANNOTATION),
        .resume = resume != NULL ? resume : "",
    };
    for (size_t i = 0; i < spec->n_waves; i++)
        spec->waves[i] = update->waves[i];
    if (spec->n_waves == 0)
        spec->waves[spec->n_waves++] = (struct hf_wave){.percent = 100};
}

/* Failures that maxFailures allows, without the forgiven ones. */
static unsigned allowed_failures(const struct hf_rollout_spec *spec, const struct hf_rollout_counts *counts)
{
    assert(counts->unknown <= counts->admitted);
    return (unsigned)hf_field_share_of(&spec->max_failures, counts->admitted - counts->unknown);
}

/* Failed nodes are judged by maxFailures alone: they lower the number, so that no stage waits when nobody is left whom
 * it could wait for. */
unsigned hf_rollout_needed(const struct hf_rollout_spec *spec, const struct hf_rollout_state *state,
                           const struct hf_rollout_counts *counts)
{
    uint32_t able = counts->stage_nodes - counts->stage_exempt;
    uint64_t wanted = HF_MAX(hf_field_share_up(&spec->min_updated, able), 1ull);

    assert(counts->stage_exempt <= counts->stage_nodes && counts->stage_failed <= able);
    if (spec->min_updated_after_ns > 0 && state->waited_ns >= spec->min_updated_after_ns)
        wanted = 1;
    return (unsigned)HF_MIN(wanted, (uint64_t)(able - counts->stage_failed));
}

static unsigned cutoff_of(const struct hf_wave *wave)
{
    return HF_MIN(wave->percent * 100, (unsigned)HF_ROLLOUT_ALL_SLOTS);
}

/* The wave in whose share the reached slots end, counted from 1; the first one if even that is beyond them. */
static unsigned wave_at(const struct hf_rollout_spec *spec, unsigned cutoff)
{
    unsigned wave = 0;

    for (size_t i = 0; i < spec->n_waves; i++)
        if (cutoff_of(&spec->waves[i]) <= cutoff)
            wave = (unsigned)i + 1;
    assert(spec->n_waves > 0 && wave <= spec->n_waves);
    return HF_MAX(wave, 1u);
}

static const struct hf_wave *next_wave(const struct hf_rollout_spec *spec, unsigned cutoff)
{
    for (size_t i = 0; i < spec->n_waves; i++)
        if (cutoff_of(&spec->waves[i]) > cutoff)
            return &spec->waves[i];
    return NULL;
}

static uint64_t soak_of(const struct hf_rollout_spec *spec, const struct hf_rollout_state *state)
{
    if (state->cutoff == 0)
        return spec->has_canary ? spec->canary_soak_ns : 0;
    return spec->waves[wave_at(spec, state->cutoff) - 1].soak_ns;
}

static bool soaked(const struct hf_rollout_spec *spec, const struct hf_rollout_state *state)
{
    return state->settled && state->soaked_ns >= soak_of(spec, state);
}

static void open_wave(const struct hf_rollout_spec *spec, const struct hf_wave *wave, struct hf_rollout_state *state)
{
    state->cutoff = cutoff_of(wave);
    state->wave = wave_at(spec, state->cutoff);
    state->slots_before = state->slots;
    state->slots = HF_MAX(state->slots, state->cutoff);
    state->settled = false;
    state->soaked_ns = state->waited_ns = 0;
}

void hf_rollout_fit_wave(struct hf_rollout_state *state, const struct hf_rollout_ranks *ranks)
{
    uint64_t target = HF_MAX((uint64_t)ranks->selected * state->cutoff / HF_ROLLOUT_ALL_SLOTS, 1ull);
    unsigned first = 0, last; /* all cutoffs from first to last admit the same nodes */
    uint32_t admitted = ranks->canaries;

    for (last = 0; last < HF_ROLLOUT_ALL_SLOTS; last++) {
        uint32_t more = ranks->nodes[last];
        if (more > 0 && admitted + more > target && admitted > 0)
            break;
        if (more > 0)
            first = last + 1;
        admitted += more;
    }
    state->slots = HF_MAX(state->slots_before, HF_MIN(HF_MAX(state->cutoff, first), last));
    assert(state->slots >= state->slots_before && state->slots <= HF_ROLLOUT_ALL_SLOTS);
}

struct hf_rollout_state hf_rollout_begin(const struct hf_rollout_spec *spec, const struct hf_rollout_state *before,
                                         uint64_t epoch, uint64_t now_unix_ns)
{
    struct hf_rollout_state state = {.epoch = epoch, .start_unix_ns = now_unix_ns};

    copy_text(state.digest, sizeof(state.digest), spec->digest);
    copy_text(state.selector, sizeof(state.selector), spec->selector);
    if (strcmp(before->digest, spec->digest) == 0) {
        state.halted = before->halted;
        state.forgiven = before->forgiven;
        copy_text(state.reason, sizeof(state.reason), before->reason);
        copy_text(state.resumed, sizeof(state.resumed), before->resumed);
    } else {
        copy_text(state.resumed, sizeof(state.resumed), spec->resume); /* a token from before forgives nothing here */
    }
    if (!spec->has_canary && !spec->paused)
        open_wave(spec, &spec->waves[0], &state);
    return state;
}

/* ---- one step ---------------------------------------------------------------------------------------------------- */

struct step {
    const struct hf_rollout_spec *spec;
    const struct hf_rollout_counts *counts;
    struct hf_rollout_state *state;
    unsigned allowed;
    unsigned news;
};

/* A failure that is gone is forgiven no more: the resume accepted those failures, not as many others. */
static void forget(struct step *step)
{
    if (!step->counts->partial)
        step->state->forgiven = HF_MIN(step->state->forgiven, step->counts->failed);
}

static void resume(struct step *step)
{
    char token[HF_ROLLOUT_TOKEN];

    copy_text(token, sizeof(token), step->spec->resume);
    if (token[0] == '\0' || strcmp(token, step->state->resumed) == 0)
        return;
    copy_text(step->state->resumed, sizeof(step->state->resumed), token);
    if (!step->state->halted)
        return;
    step->state->halted = false;
    step->state->reason[0] = '\0';
    step->state->forgiven = step->counts->failed;
    step->news |= HF_ROLLOUT_NEWS_RESUMED;
}

/* True while the stage waits for a mandatory canary. A resume accepts the canaries that have failed. */
static bool mandatory_open(const struct step *step)
{
    const struct hf_rollout_counts *counts = step->counts;

    return step->spec->canary_mandatory &&
           (counts->canaries == 0 || counts->canary_open > HF_MIN(counts->canary_failed, step->state->forgiven));
}

/* Every node of the stage that could try has failed: that is no success to build on. */
static bool stage_failed(const struct hf_rollout_counts *counts)
{
    return counts->stage_failed > 0 && counts->stage_failed + counts->stage_exempt == counts->stage_nodes;
}

static const char *why_halt(const struct step *step)
{
    const struct hf_rollout_counts *counts = step->counts;

    if (counts->failed <= step->state->forgiven)
        return NULL;
    if (step->spec->canary_mandatory && counts->canary_failed > step->state->forgiven)
        return "CanaryFailed";
    if (counts->failed - step->state->forgiven > step->allowed)
        return "TooManyFailures";
    return stage_failed(counts) && !step->state->settled ? "StageFailed" : NULL;
}

static void halt(struct step *step)
{
    const char *reason = step->state->halted ? NULL : why_halt(step);

    if (reason == NULL)
        return;
    step->state->halted = true;
    copy_text(step->state->reason, sizeof(step->state->reason), reason);
    step->news |= HF_ROLLOUT_NEWS_HALTED;
}

static bool may_settle(const struct step *step)
{
    const struct hf_rollout_counts *counts = step->counts;

    if (step->state->halted || step->spec->halt != NULL || counts->selected == 0 || counts->open > 0)
        return false;
    if (step->state->cutoff == 0 && mandatory_open(step))
        return false;
    return counts->stage_updated >= hf_rollout_needed(step->spec, step->state, counts);
}

static void settle_and_soak(struct step *step, uint64_t elapsed_ns)
{
    struct hf_rollout_state *state = step->state;
    uint64_t soak = soak_of(step->spec, state);

    if (!state->settled && !state->halted && step->spec->halt == NULL && !step->spec->suspend)
        state->waited_ns += elapsed_ns;
    if (state->settled) {
        if (!state->halted && step->spec->halt == NULL && state->soaked_ns < soak)
            state->soaked_ns = elapsed_ns < soak - state->soaked_ns ? state->soaked_ns + elapsed_ns : soak;
    } else if (may_settle(step)) {
        state->settled = true;
        step->news |= HF_ROLLOUT_NEWS_SETTLED;
    }
}

static bool is_paused(const struct hf_rollout_spec *spec)
{
    return spec->paused || spec->suspend;
}

static void advance(struct step *step)
{
    const struct hf_wave *wave = next_wave(step->spec, step->state->cutoff);

    if (step->state->halted || step->spec->halt != NULL || is_paused(step->spec) || mandatory_open(step) ||
        !soaked(step->spec, step->state) || wave == NULL || step->counts->selected == 0)
        return;
    open_wave(step->spec, wave, step->state);
    step->news |= HF_ROLLOUT_NEWS_ADMITTED;
}

static enum hf_rollout_phase phase_of(const struct hf_rollout_spec *spec, const struct hf_rollout_state *state)
{
    bool is_done = next_wave(spec, state->cutoff) == NULL && soaked(spec, state);

    if (state->halted || spec->halt != NULL)
        return HF_ROLLOUT_HALTED;
    if (is_done)
        return HF_ROLLOUT_COMPLETE;
    if (is_paused(spec))
        return HF_ROLLOUT_PAUSED;
    if (state->cutoff == 0)
        return state->settled ? HF_ROLLOUT_CANARY_SOAK : HF_ROLLOUT_CANARY;
    return state->settled ? HF_ROLLOUT_WAVE_SOAK : HF_ROLLOUT_WAVE;
}

/* ---- words for people -------------------------------------------------------------------------------------------- */

/* "498 of 512 admitted nodes updated, 9 updating, 2 failed (10 allowed), 3 unknown (1 held by its site)" */
static size_t say_counts(const struct hf_rollout_counts *counts, unsigned allowed, bool has_limit, char *text, size_t n)
{
    size_t used = (size_t)snprintf(text, n, "%u of %u admitted %s updated", counts->updated, counts->admitted,
                                   hf_noun(counts->admitted, "node", "nodes"));

#define ADD(...) used += used < n ? (size_t)snprintf(text + used, n - used, __VA_ARGS__) : 0
    if (counts->updating > 0)
        ADD(", %u updating", counts->updating);
    if (counts->turn > 0)
        ADD(" (%u %s turn)", counts->turn, hf_noun(counts->turn, "waits for its", "wait for their"));
    if (counts->failed > 0)
        ADD(", %u failed", counts->failed);
    if (counts->failed > 0 && has_limit)
        ADD(" (%u allowed)", allowed);
    if (counts->incompatible > 0)
        ADD(", %u incompatible", counts->incompatible);
    if (counts->unknown > 0)
        ADD(", %u away", counts->unknown - counts->held);
    if (counts->held > 0)
        ADD(", %u held by %s", counts->held, hf_noun(counts->held, "its site", "their sites"));
    if (counts->superseded > 0)
        ADD(", %u superseded", counts->superseded);
#undef ADD
    return HF_MIN(used, n - 1);
}

static size_t say_stage(const struct hf_rollout_spec *spec, const struct hf_rollout_state *state, char *text, size_t n)
{
    int used = state->cutoff == 0
                   ? snprintf(text, n, "canary: ")
                   : snprintf(text, n, "wave %u of %zu (%u %%): ", state->wave, spec->n_waves, state->cutoff / 100);

    return HF_MIN((size_t)used, n - 1);
}

static void set_reason(struct hf_rollout_verdict *verdict, const char *reason)
{
    copy_text(verdict->reason, sizeof(verdict->reason), reason);
}

static void judge_complete(const struct step *step, struct hf_rollout_verdict *verdict)
{
    verdict->ready = true;
    set_reason(verdict, step->state->cutoff < HF_ROLLOUT_ALL_SLOTS ? "WavesEnd" : "RolledOut");
}

/* Nodes that are away are all that the stage waits for: too few of the others have updated. */
static bool too_few(const struct step *step)
{
    const struct hf_rollout_counts *counts = step->counts;

    return !step->state->settled && counts->open == 0 && !(step->state->cutoff == 0 && mandatory_open(step)) &&
           counts->stage_updated < hf_rollout_needed(step->spec, step->state, counts);
}

static void judge_open(const struct step *step, struct hf_rollout_verdict *verdict)
{
    bool empty = step->spec->canary_mandatory && step->counts->canaries == 0;

    set_reason(verdict, empty                  ? "CanaryEmpty"
                        : step->state->settled ? "Soaking"
                        : too_few(step)        ? "FewUpdated"
                                               : "Progressing");
    verdict->stalled = empty;
    verdict->reconciling = !empty;
}

static void judge(const struct step *step, enum hf_rollout_phase phase, struct hf_rollout_verdict *verdict)
{
    const struct hf_rollout_state *state = step->state;

    *verdict = (struct hf_rollout_verdict){0};
    switch (phase) {
    case HF_ROLLOUT_COMPLETE:
        judge_complete(step, verdict);
        break;
    case HF_ROLLOUT_HALTED:
        verdict->stalled = true;
        set_reason(verdict, state->halted ? state->reason : "HaltedByOperator");
        break;
    case HF_ROLLOUT_PAUSED:
        set_reason(verdict, step->spec->suspend ? "Suspended" : "Paused");
        break;
    default:
        judge_open(step, verdict);
        break;
    }
    if (step->counts->selected == 0 && phase != HF_ROLLOUT_HALTED) {
        *verdict = (struct hf_rollout_verdict){.ready = true};
        set_reason(verdict, "NoNodesSelected");
    }
}

static void advise(const struct step *step, const struct hf_rollout_verdict *verdict, char *text, size_t n)
{
    static const struct {
        const char *reason, *text;
        bool resume; /* the command that goes on follows */
    } rows[] = {
        {"TooManyFailures", "; no further node starts; release a newer version, or accept the failures: ", true},
        {"CanaryFailed",
         "; a mandatory canary failed; release a newer version, or take this one on in spite of that: ", true},
        {"StageFailed", "; no node of this stage succeeded; release a newer version, or accept the failures: ", true},
        {"CanaryEmpty",
         "; strategy.canary.nodeSelector selects no node, and canary.mandatory is true: label a node or "
         "change the selector",
         false},
        {"Paused", "; no further stage starts until ", true},
        {"Suspended", "; no node starts the update while spec.suspend is true", false},
        {"WavesEnd", "; the last wave is below 100 %, so the other nodes are not admitted", false},
        {"NoNodesSelected", "; spec.nodeSelector selects no node", false},
    };
    bool away = mandatory_open(step) && step->counts->open == 0 && verdict->reconciling;
    int used = 0;

    for (size_t i = 0; i < HF_LEN(rows); i++)
        if (strcmp(rows[i].reason, verdict->reason) == 0)
            used = snprintf(text, n, "%s%s%.100s", rows[i].text, rows[i].resume ? "holdfast rollout resume " : "",
                            rows[i].resume ? step->spec->name : "");
    if (used == 0 && away)
        (void)snprintf(text, n, "; every canary is mandatory, and some are away");
}

/* "; 12 of the 500 nodes of this stage have updated, 250 are needed (strategy.minUpdated), 480 are away" */
static void say_few(const struct step *step, char *text, size_t n)
{
    const struct hf_rollout_spec *spec = step->spec;
    const struct hf_rollout_counts *counts = step->counts;
    uint64_t after_ns = spec->min_updated_after_ns;
    unsigned needed = hf_rollout_needed(spec, step->state, counts);
    char after[HF_DURATION_TEXT];
    uint32_t nodes = counts->stage_nodes - counts->stage_exempt;
    int used = snprintf(
        text, n, "; %u of the %u %s of this stage %s updated, %u %s needed (strategy.minUpdated), %u %s away",
        counts->stage_updated, nodes, hf_noun(nodes, "node", "nodes"), hf_noun(counts->stage_updated, "has", "have"),
        needed, hf_noun(needed, "is", "are"), counts->stage_parked, hf_noun(counts->stage_parked, "is", "are"));

    if (after_ns > step->state->waited_ns && (size_t)used < n)
        (void)snprintf(text + used, n - (size_t)used,
                       "; after %s in this stage one is enough (strategy.minUpdatedAfter)",
                       hf_format_duration(after_ns, after));
}

static void say(const struct step *step, struct hf_rollout_verdict *verdict)
{
    char *text = verdict->message;
    size_t n = sizeof(verdict->message), used = say_stage(step->spec, step->state, text, n);

    used += say_counts(step->counts, step->allowed + step->state->forgiven, true, text + used, n - used);
    if (step->spec->halt != NULL && !step->state->halted)
        (void)snprintf(text + used, n - used, "; an operator halted it: %s", HF_CUT(200, step->spec->halt));
    else if (strcmp(verdict->reason, "FewUpdated") == 0)
        say_few(step, text + used, n - used);
    else
        advise(step, verdict, text + used, n - used);
    hf_utf8_trim(text);
}

static void look(struct step *step, struct hf_rollout_decision *decision)
{
    const struct hf_rollout_spec *spec = step->spec;
    bool halted;

    decision->phase = phase_of(spec, &decision->state);
    halted = decision->phase == HF_ROLLOUT_HALTED;
    judge(step, decision->phase, &decision->verdict);
    say(step, &decision->verdict);
    decision->admission_cutoff = halted ? 0 : decision->state.slots;
    decision->admission_canary = !halted && spec->has_canary;
    decision->grants = !halted && !is_paused(spec);
    if (decision->state.settled && !halted && !soaked(spec, &decision->state))
        decision->left_ns = soak_of(spec, &decision->state) - decision->state.soaked_ns;
    else if (!decision->state.settled && !halted && !spec->suspend &&
             decision->state.waited_ns < spec->min_updated_after_ns)
        decision->left_ns = spec->min_updated_after_ns - decision->state.waited_ns;
}

/* What holds whatever nodes and operators do. */
static void check_decision(const struct hf_rollout_decision *decision)
{
    HF_UNUSED const struct hf_rollout_state *state = &decision->state;

    assert(!state->halted || state->reason[0] != '\0');
    assert(decision->phase != HF_ROLLOUT_HALTED || (decision->admission_cutoff == 0 && !decision->admission_canary));
    assert(decision->phase != HF_ROLLOUT_HALTED || !decision->grants);
    assert(decision->verdict.ready + decision->verdict.reconciling + decision->verdict.stalled <= 1);
    assert(decision->verdict.reason[0] != '\0');
    assert(decision->left_ns > 0);
}

/* A step opens one stage at most, takes no admission back, and lets no time soak that was not watched. */
static void check_step(HF_UNUSED const struct hf_rollout_state *before, const struct hf_rollout_decision *decision,
                       HF_UNUSED uint64_t elapsed_ns)
{
    HF_UNUSED const struct hf_rollout_state *after = &decision->state;
    HF_UNUSED bool opened = (decision->news & HF_ROLLOUT_NEWS_ADMITTED) != 0;

    assert(after->cutoff >= before->cutoff && after->slots >= before->slots);
    assert(opened == (after->cutoff != before->cutoff));
    assert(!opened || (!after->halted && !after->settled && after->soaked_ns == 0));
    assert(!opened || after->slots_before == before->slots);
    assert(opened || after->settled || !before->settled);
    assert(opened || after->soaked_ns == before->soaked_ns || before->settled);
    assert(opened || after->soaked_ns - before->soaked_ns <= elapsed_ns);
    assert(after->epoch == before->epoch && strcmp(after->digest, before->digest) == 0);
    check_decision(decision);
}

void hf_rollout_look(const struct hf_rollout_spec *spec, const struct hf_rollout_state *state,
                     const struct hf_rollout_counts *counts, struct hf_rollout_decision *ret_decision)
{
    struct step step = {spec, counts, &ret_decision->state, allowed_failures(spec, counts), 0};

    *ret_decision = (struct hf_rollout_decision){.state = *state, .left_ns = HF_NEVER};
    look(&step, ret_decision);
    check_decision(ret_decision);
}

void hf_rollout_step(const struct hf_rollout_spec *spec, const struct hf_rollout_state *state,
                     const struct hf_rollout_counts *counts, uint64_t elapsed_ns,
                     struct hf_rollout_decision *ret_decision)
{
    struct hf_rollout_decision *decision = ret_decision;
    struct step step = {spec, counts, &decision->state, allowed_failures(spec, counts), 0};
    enum hf_rollout_phase before = phase_of(spec, state);

    *decision = (struct hf_rollout_decision){.state = *state, .left_ns = HF_NEVER};
    /* A canary that the operator has removed leaves a stage that has nobody to wait for. */
    if (decision->state.cutoff > 0)
        decision->state.wave = wave_at(spec, decision->state.cutoff);
    forget(&step);
    resume(&step);
    halt(&step);
    settle_and_soak(&step, elapsed_ns);
    advance(&step);
    look(&step, decision);
    if (decision->phase == HF_ROLLOUT_COMPLETE && before != HF_ROLLOUT_COMPLETE)
        step.news |= HF_ROLLOUT_NEWS_COMPLETE;
    decision->news = step.news;
    check_step(state, decision, elapsed_ns);
}

void hf_rollout_plain_verdict(const struct hf_rollout_counts *counts, bool suspend,
                              struct hf_rollout_verdict *ret_verdict)
{
    struct hf_rollout_verdict *verdict = ret_verdict;
    size_t used;

    *verdict = (struct hf_rollout_verdict){0};
    if (counts->selected == 0) {
        verdict->ready = true;
        set_reason(verdict, "NoNodesSelected");
        copy_text(verdict->message, sizeof(verdict->message), "spec.nodeSelector selects no node");
        return;
    }
    verdict->stalled = counts->failed > 0;
    verdict->ready = counts->failed == 0 && counts->updating == 0;
    verdict->reconciling = !verdict->stalled && !verdict->ready && !suspend;
    set_reason(verdict, verdict->stalled ? "NodesFailed"
                        : verdict->ready ? "RolledOut"
                        : suspend        ? "Suspended"
                                         : "Progressing");
    used = say_counts(counts, 0, false, verdict->message, sizeof(verdict->message));
    if (suspend)
        (void)snprintf(verdict->message + used, sizeof(verdict->message) - used,
                       "; no node starts the update while spec.suspend is true");
}
