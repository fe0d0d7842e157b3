/* SPDX-License-Identifier: Apache-2.0 */
/* controller/fleet/sight: each row is a story of steps, with the sum of the blind time after each step. */
#include "controller/fleet/sight.h"

#include "base/macros.h"
#include "support/check_main.h"

#define S HF_NS_PER_S

enum act { END, LOOK, SEES, LOST };

struct step {
    unsigned at_s;
    enum act act;
    unsigned heard_s; /* LOST: last sign of life; 0: unknown */
    unsigned blind_s; /* the sum after the step */
};

static const struct {
    const char *name;
    struct step steps[16];
} stories[] = {
    {"a start costs only itself", {{1, LOOK, 0, 0}, {20, LOOK, 0, 19}, {31, SEES, 0, 30}, {90, LOOK, 0, 30}}},
    {"a flap costs only itself",
     {{1, SEES, 0, 0}, {50, LOOK, 0, 0}, {100, LOST, 0, 0}, {110, SEES, 0, 10}, {170, LOOK, 0, 10}}},
    {"after an outage, agents have five minutes",
     {{1, SEES, 0, 0},
      {50, LOST, 0, 0},
      {100, LOOK, 0, 50},
      {111, SEES, 0, 61},
      {171, LOOK, 0, 121},
      {231, LOOK, 0, 181},
      {291, LOOK, 0, 241},
      {351, LOOK, 0, 301},
      {411, LOOK, 0, 361},
      {420, LOOK, 0, 361}}},
    {"the five minutes end between two looks",
     {{1, SEES, 0, 0},
      {20, LOST, 0, 0},
      {40, SEES, 0, 20},
      {100, LOOK, 0, 80},
      {160, LOOK, 0, 140},
      {220, LOOK, 0, 200},
      {280, LOOK, 0, 260},
      {330, LOOK, 0, 310},
      {350, LOOK, 0, 320}}},
    {"an outage in the five minutes begins them again",
     {{1, SEES, 0, 0},
      {20, LOST, 0, 0},
      {40, SEES, 0, 20},
      {60, LOST, 50, 40},
      {80, SEES, 0, 60},
      {140, LOOK, 0, 120},
      {200, LOOK, 0, 180},
      {260, LOOK, 0, 240},
      {320, LOOK, 0, 300},
      {380, LOOK, 0, 360},
      {400, LOOK, 0, 360}}},
    {"an outage that shows late began with the last sign of life",
     {{1, SEES, 0, 0}, {50, LOOK, 0, 0}, {100, LOST, 70, 30}, {101, SEES, 0, 31}, {161, LOOK, 0, 91}}},
    {"only time that counted as seen becomes blind",
     {{1, SEES, 0, 0}, {30, LOST, 0, 0}, {35, SEES, 0, 5}, {40, LOST, 20, 10}, {42, SEES, 0, 12}}},
    {"a process that stood still",
     {{1, SEES, 0, 0}, {60, LOOK, 0, 0}, {160, LOOK, 0, 100}, {200, LOOK, 0, 140}, {210, LOST, 60, 150}}},
};

START_TEST(story)
{
    struct hf_sight sight = {0};

    for (const struct step *step = stories[_i].steps; step->act != END; step++) {
        if (step->act != LOOK)
            hf_sight_set(&sight, step->at_s * S, step->act == SEES, step->heard_s * S);
        uint64_t blind_ns = hf_sight_look(&sight, step->at_s * S);
        ck_assert_msg(blind_ns == step->blind_s * S, "%s: at %u s blind for %ju ms, not %u s", stories[_i].name,
                      step->at_s, (uintmax_t)(blind_ns / HF_NS_PER_MS), step->blind_s);
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, story, 0, HF_LEN(stories));
}

HF_TEST_MAIN("controller/sight", cases)
