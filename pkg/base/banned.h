/* SPDX-License-Identifier: Apache-2.0 */
/* Refuses libc functions that have a safer replacement, in every file of pkg/ and cmd/ (-include). The pragma refuses
 * even declarations: so libc's headers come first. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atoll gets system popen gmtime localtime asctime    \
    ctime
