/* SPDX-License-Identifier: Apache-2.0 */
/* The Lease as a game on a virtual clock: each row is a story of steps, with what must hold after each step. */
#include "controller/lead/lease.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>

#include "support/check_main.h"
#include "support/walk.h"

#define S(seconds) ((uint64_t)((seconds)*1000) * 1000000ull)

/* What the server does with the request in flight, or what happens beside it. */
enum act {
    END,
    TICK,        /* time passes to `at`; the machine may send */
    OK,          /* the server answers, and does what it was asked */
    FAIL,        /* the request fails with `code` */
    LATE,        /* the server did the write long ago, and its answer comes only now */
    OTHER,       /* another process writes the record: its holder becomes "b", its epoch grows */
    RENEW,       /* the holder "b" renews */
    TOUCH,       /* somebody writes the Lease without a change of its spec */
    DELETE,      /* somebody deletes the Lease */
    FLOOR,       /* an object of the cluster has the epoch `code` */
    FALSE_FLOOR, /* the same, and no leader can have had this epoch */
    RELEASE,     /* SIGTERM */
    FOREIGN,     /* the server has a record of "b" with epoch `code`, whose renewTime is in the year 2099 */
    OWN,         /* the server has a record of this identity with epoch `code`, from before this process */
    FREE,        /* the server has a record without a holder */
};

struct step {
    double at;
    enum act act;
    int code;
    enum hf_lease_want want; /* the request that a TICK must send */
    int leads;               /* 1, 0; -1: not looked at */
    int epoch;               /* epoch of the request, or of the leader; 0: not looked at */
};

static const struct {
    const char *name;
    struct step steps[24];
} stories[] = {
    {"a new cluster",
     {{0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0.1, FAIL, -ENOENT, 0, 0, 0},
      {0.1, TICK, 0, HF_LEASE_CREATE, 0, 1},
      {0.2, OK, 0, 0, 1, 1},
      {2, TICK, 0, HF_LEASE_NOTHING, 1, 0},
      {2.2, TICK, 0, HF_LEASE_WRITE, 1, 1},
      {2.3, OK, 0, 0, 1, 1}}},
    {"the namespace is absent",
     {{0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0.1, FAIL, -ENOENT, 0, 0, 0},
      {0.1, TICK, 0, HF_LEASE_CREATE, 0, 1},
      {0.2, FAIL, -ENOENT, 0, 0, 0},
      {0.2, TICK, 0, HF_LEASE_NOTHING, 0, 0},
      {2.3, TICK, 0, HF_LEASE_READ, 0, 0}}},
    {"another one creates it first",
     {{0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0.1, FAIL, -ENOENT, 0, 0, 0},
      {0.1, TICK, 0, HF_LEASE_CREATE, 0, 1},
      {0.1, FOREIGN, 1, 0, 0, 0},
      {0.2, FAIL, -EEXIST, 0, 0, 0},
      {0.4, TICK, 0, HF_LEASE_READ, 0, 0},
      {0.5, OK, 0, 0, 0, 0},
      {0.6, TICK, 0, HF_LEASE_NOTHING, 0, 0},
      {2.6, TICK, 0, HF_LEASE_READ, 0, 0}}},
    {"a foreign holder whose renewTime lies is watched for the duration, and then replaced",
     {{0, FOREIGN, 7, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0, OK, 0, 0, 0, 0},
      {2, TICK, 0, HF_LEASE_READ, 0, 0},
      {2, OK, 0, 0, 0, 0},
      {14, TICK, 0, HF_LEASE_READ, 0, 0},
      {14.9, OK, 0, 0, 0, 0},
      {16.9, TICK, 0, HF_LEASE_READ, 0, 0},
      {17, OK, 0, 0, 0, 0},
      {17, TICK, 0, HF_LEASE_WRITE, 0, 8},
      {17.1, OK, 0, 0, 1, 8}}},
    {"a holder that renews keeps it",
     {{0, FOREIGN, 7, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0, OK, 0, 0, 0, 0},
      {14, RENEW, 0, 0, 0, 0},
      {14, TICK, 0, HF_LEASE_READ, 0, 0},
      {14, OK, 0, 0, 0, 0},
      {16, TICK, 0, HF_LEASE_READ, 0, 0},
      {16, OK, 0, 0, 0, 0},
      {16, TICK, 0, HF_LEASE_NOTHING, 0, 0},
      {28.9, TICK, 0, HF_LEASE_READ, 0, 0},
      {28.9, OK, 0, 0, 0, 0},
      {31, TICK, 0, HF_LEASE_READ, 0, 0},
      {31, OK, 0, 0, 0, 0},
      {31, TICK, 0, HF_LEASE_WRITE, 0, 8}}},
    {"an epoch that only a stranger can have written changes nothing",
     {{0, FREE, 4, 0, 0, 0},
      {0, FALSE_FLOOR, INT32_MAX, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0, OK, 0, 0, 0, 0},
      {0, FALSE_FLOOR, 1000005, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_WRITE, 0, 5},
      {0.1, OK, 0, 0, 1, 5},
      {1, FLOOR, 1000004, 0, 1, 0},
      {2.2, TICK, 0, HF_LEASE_WRITE, 1, 1000005},
      {2.3, OK, 0, 0, 1, 1000005},
      {3, FLOOR, 1000005, 0, 1, 0},
      {3, FALSE_FLOOR, 1000006, 0, 1, 0}, /* and no stranger drives the epochs on */
      {4.4, TICK, 0, HF_LEASE_WRITE, 1, 1000005}}},
    {"the epochs end where leaseTransitions ends",
     {{0, FREE, INT32_MAX - 1, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0, OK, 0, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_WRITE, 0, INT32_MAX},
      {0.1, OK, 0, 0, 1, INT32_MAX},
      {1, FLOOR, INT32_MAX, 0, 1, 0},
      {2.2, TICK, 0, HF_LEASE_WRITE, 1, INT32_MAX},
      {2.3, OK, 0, 0, 1, INT32_MAX}}},
    {"another leader takes the last epoch, too",
     {{0, FREE, INT32_MAX, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0, OK, 0, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_WRITE, 0, INT32_MAX},
      {0.1, OK, 0, 0, 1, INT32_MAX}}},
    {"writes that do not change the record renew nothing",
     {{0, FOREIGN, 7, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0, OK, 0, 0, 0, 0},
      {14, TOUCH, 0, 0, 0, 0},
      {14, TICK, 0, HF_LEASE_READ, 0, 0},
      {14, OK, 0, 0, 0, 0},
      {16, TICK, 0, HF_LEASE_READ, 0, 0},
      {16, OK, 0, 0, 0, 0},
      {16, TICK, 0, HF_LEASE_WRITE, 0, 8}}},
    {"a released one is taken at once",
     {{0, FREE, 4, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0, OK, 0, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_WRITE, 0, 5},
      {0.1, OK, 0, 0, 1, 5}}},
    {"a process that starts takes that of its own identity at once, with a new epoch",
     {{0, OWN, 4, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0, OK, 0, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_WRITE, 0, 5},
      {0.1, OK, 0, 0, 1, 5}}},
    {"two processes of one identity do not lead together",
     {{0, FREE, 4, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0, OK, 0, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_WRITE, 0, 5},
      {0, OK, 0, 0, 1, 5},
      {1, OWN, 6, 0, 1, 0},
      {2, TICK, 0, HF_LEASE_WRITE, 1, 5},
      {2, FAIL, -ESTALE, 0, 1, 0},
      {2.3, TICK, 0, HF_LEASE_READ, 1, 0},
      {2.3, OK, 0, 0, 0, 0},
      {2.4, TICK, 0, HF_LEASE_NOTHING, 0, 0}}},
    {"a leader without answers stops to lead, and returns with a new epoch",
     {{0, FREE, 4, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0, OK, 0, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_WRITE, 0, 5},
      {0, OK, 0, 0, 1, 5},
      {2, TICK, 0, HF_LEASE_WRITE, 1, 5},
      {7, FAIL, -ETIMEDOUT, 0, 1, 0},
      {9, TICK, 0, HF_LEASE_READ, 1, 0},
      {9.9, TICK, 0, HF_LEASE_NOTHING, 1, 0},
      {10, TICK, 0, HF_LEASE_NOTHING, 0, 0},
      {11, OK, 0, 0, 0, 0},
      {11, TICK, 0, HF_LEASE_WRITE, 0, 6},
      {11.1, OK, 0, 0, 1, 6}}},
    {"the answer to a take comes after the deadline",
     {{0, FREE, 4, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0, OK, 0, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_WRITE, 0, 5},
      {11, LATE, 0, 0, 0, 0},
      {13, TICK, 0, HF_LEASE_WRITE, 0, 6},
      {13.1, OK, 0, 0, 1, 6}}},
    {"a paused leader finds another one",
     {{0, FREE, 4, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0, OK, 0, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_WRITE, 0, 5},
      {0, OK, 0, 0, 1, 5},
      {30, OTHER, 0, 0, 0, 0},
      {40, TICK, 0, HF_LEASE_WRITE, 0, 6},
      {40, FAIL, -ESTALE, 0, 0, 0},
      {40.2, TICK, 0, HF_LEASE_READ, 0, 0},
      {40.3, OK, 0, 0, 0, 0},
      {40.4, TICK, 0, HF_LEASE_NOTHING, 0, 0}}},
    {"the clock leaps while it leads",
     {{0, FREE, 4, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0, OK, 0, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_WRITE, 0, 5},
      {0, OK, 0, 0, 1, 5},
      {9.99, TICK, 0, HF_LEASE_WRITE, 1, 5},
      {9.99, OK, 0, 0, 1, 5},
      {90000, TICK, 0, HF_LEASE_WRITE, 0, 6},
      {90000, OK, 0, 0, 1, 6}}},
    {"the clock leaps while it waits: only a new read may decide",
     {{0, FOREIGN, 7, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0, OK, 0, 0, 0, 0},
      {80000, RENEW, 0, 0, 0, 0},
      {90000, TICK, 0, HF_LEASE_READ, 0, 0},
      {90000, OK, 0, 0, 0, 0},
      {90000, TICK, 0, HF_LEASE_NOTHING, 0, 0}}},
    {"an edit by hand of the leader's Lease",
     {{0, FREE, 4, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0, OK, 0, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_WRITE, 0, 5},
      {0, OK, 0, 0, 1, 5},
      {1, TOUCH, 0, 0, 1, 0},
      {2, TICK, 0, HF_LEASE_WRITE, 1, 5},
      {2, FAIL, -ESTALE, 0, 1, 0},
      {2.2, TICK, 0, HF_LEASE_READ, 1, 0},
      {2.2, OK, 0, 0, 1, 0},
      {2.2, TICK, 0, HF_LEASE_WRITE, 1, 5},
      {2.3, OK, 0, 0, 1, 5}}},
    {"deleted by hand under a leader: a new epoch",
     {{0, FREE, 4, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0, OK, 0, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_WRITE, 0, 5},
      {0, OK, 0, 0, 1, 5},
      {1, DELETE, 0, 0, 1, 0},
      {2, TICK, 0, HF_LEASE_WRITE, 1, 5},
      {2, FAIL, -ENOENT, 0, 1, 0},
      {2, TICK, 0, HF_LEASE_CREATE, 1, 6},
      {2.1, OK, 0, 0, 1, 6}}},
    {"deleted by hand under a leader, and another one is faster",
     {{0, FREE, 4, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0, OK, 0, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_WRITE, 0, 5},
      {0, OK, 0, 0, 1, 5},
      {1, FOREIGN, 6, 0, 1, 0},
      {2, TICK, 0, HF_LEASE_WRITE, 1, 5},
      {2, FAIL, -ESTALE, 0, 1, 0},
      {2.2, TICK, 0, HF_LEASE_READ, 1, 0},
      {2.2, OK, 0, 0, 0, 0}}},
    {"deleted by hand, and no process knows the old epoch: the objects do",
     {{0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0.1, FAIL, -ENOENT, 0, 0, 0},
      {0.1, TICK, 0, HF_LEASE_CREATE, 0, 1},
      {0.2, OK, 0, 0, 1, 1},
      {1, FLOOR, 17, 0, 1, 0},
      {2.2, TICK, 0, HF_LEASE_WRITE, 1, 18},
      {2.3, OK, 0, 0, 1, 18},
      {3, FLOOR, 18, 0, 1, 0},
      {4.5, TICK, 0, HF_LEASE_WRITE, 1, 18}}},
    {"the server asks for a pause",
     {{0, FREE, 4, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0, FAIL, -EAGAIN, 0, 0, 0},
      {4, TICK, 0, HF_LEASE_NOTHING, 0, 0},
      {5, TICK, 0, HF_LEASE_READ, 0, 0}}},
    {"released at SIGTERM",
     {{0, FREE, 4, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0, OK, 0, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_WRITE, 0, 5},
      {0, OK, 0, 0, 1, 5},
      {1, RELEASE, 0, 0, 0, 0},
      {1, TICK, 0, HF_LEASE_RELEASE, 0, 5},
      {1, OK, 0, 0, 0, 0},
      {1, TICK, 0, HF_LEASE_NOTHING, 0, 0}}},
    {"released while a renewal is in flight",
     {{0, FREE, 4, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0, OK, 0, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_WRITE, 0, 5},
      {0, OK, 0, 0, 1, 5},
      {2, TICK, 0, HF_LEASE_WRITE, 1, 5},
      {2, RELEASE, 0, 0, 0, 0},
      {2, TICK, 0, HF_LEASE_NOTHING, 0, 0},
      {2.1, OK, 0, 0, 0, 0},
      {2.1, TICK, 0, HF_LEASE_RELEASE, 0, 5},
      {2.2, OK, 0, 0, 0, 0}}},
    {"a follower has nothing to release",
     {{0, FOREIGN, 7, 0, 0, 0},
      {0, TICK, 0, HF_LEASE_READ, 0, 0},
      {0, OK, 0, 0, 0, 0},
      {1, RELEASE, 0, 0, 0, 0},
      {1, TICK, 0, HF_LEASE_NOTHING, 0, 0}}},
};

struct server {
    struct hf_lease_record record;
    unsigned writes;
};

static void put(struct server *server, const char *holder, uint64_t transitions)
{
    (void)snprintf(server->record.holder, sizeof(server->record.holder), "%s", holder);
    (void)snprintf(server->record.renewed, sizeof(server->record.renewed), "2099-01-01T00:00:00.%06uZ",
                   ++server->writes);
    server->record.transitions = transitions;
    server->record.duration_ns = S(15);
}

static void answer(struct hf_lease *lease, struct server *server, const struct step *step)
{
    enum hf_lease_want busy = lease->busy;

    ck_assert_int_ne(busy, HF_LEASE_NOTHING);
    if (busy == HF_LEASE_CREATE || busy == HF_LEASE_WRITE)
        put(server, "a", lease->writes_epoch);
    if (busy == HF_LEASE_RELEASE)
        put(server, "", lease->writes_epoch);
    hf_lease_answer(lease, S(step->at), 0, 0, &server->record);
}

static void take_step(struct hf_lease *lease, struct server *server, const struct step *step, const char *where)
{
    const uint64_t now = S(step->at);

    switch (step->act) {
    case TICK: {
        enum hf_lease_want want = hf_lease_tick(lease, now);
        ck_assert_msg(want == step->want, "%s: sends %d, not %d", where, want, step->want);
        if (want >= HF_LEASE_CREATE && step->epoch != 0)
            ck_assert_msg(lease->writes_epoch == (unsigned)step->epoch, "%s: writes epoch %ju", where,
                          (uintmax_t)lease->writes_epoch);
        break;
    }
    case OK:
    case LATE:
        answer(lease, server, step);
        break;
    case FAIL:
        hf_lease_answer(lease, now, step->code, step->code == -EAGAIN ? S(4.5) : 0, NULL);
        break;
    case OTHER:
        put(server, "b", server->record.transitions + 1);
        break;
    case RENEW:
        put(server, "b", server->record.transitions);
        break;
    case TOUCH:
    case DELETE:
        break; /* the next step has the server's answer */
    case FLOOR:
        ck_assert_msg(hf_lease_floor(lease, (unsigned)step->code), "%s: floor refused", where);
        break;
    case FALSE_FLOOR:
        ck_assert_msg(!hf_lease_floor(lease, (unsigned)step->code), "%s: floor taken", where);
        break;
    case RELEASE:
        hf_lease_release(lease, now);
        break;
    case FOREIGN:
        put(server, "b", (unsigned)step->code);
        break;
    case OWN:
        put(server, "a", (unsigned)step->code);
        break;
    case FREE:
        put(server, "", (unsigned)step->code);
        break;
    case END:
    default:
        ck_abort_msg("%s: no such step", where);
    }
}

static const struct hf_lease_timing timing = {.duration_ns = HF_LEASE_DURATION_NS,
                                              .renew_deadline_ns = HF_LEASE_RENEW_DEADLINE_NS,
                                              .retry_ns = HF_LEASE_RETRY_NS};

START_TEST(story)
{
    struct server server = {.record = {.holder = ""}};
    struct hf_lease lease;
    char where[200];

    hf_lease_init(&lease, "a", &timing);
    for (size_t i = 0; stories[_i].steps[i].act != END; i++) {
        const struct step *step = &stories[_i].steps[i];
        (void)snprintf(where, sizeof(where), "%s, step %zu at %.1f s", stories[_i].name, i, step->at);
        take_step(&lease, &server, step, where);
        if (step->leads >= 0)
            ck_assert_msg(hf_lease_leads(&lease, S(step->at)) == (step->leads == 1), "%s: leads wrongly", where);
        if (step->leads == 1 && step->epoch != 0 && step->act == OK)
            ck_assert_msg(lease.epoch == (unsigned)step->epoch, "%s: epoch %ju", where, (uintmax_t)lease.epoch);
        ck_assert_msg(lease.busy != HF_LEASE_NOTHING || hf_lease_due(&lease) == UINT64_MAX ||
                          hf_lease_due(&lease) <= S(step->at) + S(10),
                      "%s: due too late", where);
    }
}
END_TEST

/* Two machines on one server, whose requests are delayed and lost by chance: never two leaders, and epochs only grow.
 */
struct player {
    struct hf_lease lease;
    uint64_t answer_ns; /* UINT64_MAX: nothing in flight */
    uint64_t paused_until_ns;
    unsigned version; /* version of the server's object that it has seen */
    int r;
    struct hf_lease_record record;
};

struct world {
    struct hf_lease_record record;
    unsigned version; /* 0: there is no Lease */
    uint64_t random;
};

static uint64_t draw(struct world *world, uint64_t below)
{
    world->random = world->random * 6364136223846793005ull + 1442695040888963407ull;
    return (world->random >> 33) % below;
}

/* The server handles a request at once; its answer comes later, or never. */
static void serve(struct world *world, struct player *player, enum hf_lease_want want, const char *name, uint64_t now)
{
    static unsigned writes;

    player->answer_ns = now + S(0.001) * (1 + draw(world, 4000));
    player->r = 0;
    if (draw(world, 10) == 0) { /* lost, before or after the server */
        player->r = -ETIMEDOUT;
        player->answer_ns = now + S(5);
        if (draw(world, 2) == 0)
            return;
    }
    if (want != HF_LEASE_CREATE && world->version == 0)
        player->r = -ENOENT;
    else if (want == HF_LEASE_CREATE && world->version != 0)
        player->r = -EEXIST;
    else if (want >= HF_LEASE_WRITE && player->version != world->version)
        player->r = -ESTALE;
    else if (want >= HF_LEASE_CREATE) {
        ck_assert_uint_ge(player->lease.writes_epoch, world->record.transitions);
        (void)snprintf(world->record.holder, sizeof(world->record.holder), "%s", name);
        (void)snprintf(world->record.renewed, sizeof(world->record.renewed), "%u", ++writes);
        world->record.transitions = player->lease.writes_epoch;
        world->record.duration_ns = S(15);
        world->version++;
    }
    player->record = world->record;
    if (player->r == 0)
        player->version = world->version;
}

START_TEST(never_two_leaders)
{
    struct world world = {.random = (unsigned)_i * 7919 + 1};
    struct player players[2];
    uint64_t last_epoch = 0, changes = 0;
    int last_leader = -1;

    for (int k = 0; k < 2; k++) {
        players[k] = (struct player){.answer_ns = UINT64_MAX};
        hf_lease_init(&players[k].lease, k == 0 ? "a" : "b", &timing);
    }
    for (uint64_t now = 0; now < S(3600); now += S(0.05)) {
        int leaders = 0;
        for (int k = 0; k < 2; k++) {
            struct player *p = &players[k];
            if (draw(&world, 4000) == 0)
                p->paused_until_ns = now + S(0.1) * draw(&world, 400);
            if (now >= p->paused_until_ns && now >= p->answer_ns) {
                p->answer_ns = UINT64_MAX;
                hf_lease_answer(&p->lease, now, p->r, 0, p->r == 0 ? &p->record : NULL);
            }
            enum hf_lease_want want = now >= p->paused_until_ns ? hf_lease_tick(&p->lease, now) : HF_LEASE_NOTHING;
            if (want != HF_LEASE_NOTHING)
                serve(&world, p, want, k == 0 ? "a" : "b", now);
            if (!hf_lease_leads(&p->lease, now))
                continue;
            leaders++;
            ck_assert_msg(p->lease.epoch >= last_epoch, "epoch went back at %ju s", (uintmax_t)(now / S(1)));
            ck_assert_msg(p->lease.epoch > last_epoch || last_leader == k, "two leaders had one epoch");
            changes += last_leader != k;
            last_leader = k;
            last_epoch = p->lease.epoch;
        }
        ck_assert_msg(leaders < 2, "seed %d: two leaders at %ju s", _i, (uintmax_t)(now / S(1)));
    }
    ck_assert_uint_gt(changes, 1);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, story, 0, HF_LEN(stories));
    hf_walk_add_loop_test(tc, never_two_leaders, 20);
}

HF_TEST_MAIN("controller/lease", cases)
