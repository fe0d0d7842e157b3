/* SPDX-License-Identifier: Apache-2.0 */
/* Refuses libc functions that have a safer replacement, in every file of pkg/ and cmd/ (-include). libc's headers come
 * first, because after the pragma even declarations are refused. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atoll gets system popen gmtime localtime asctime    \
    ctime
