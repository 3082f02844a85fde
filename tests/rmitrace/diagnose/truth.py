"""Which conditions truly held behind the errors that a test program provoked in TF-RMM.

Written down by hand from what the program did: the arguments it passed, against the objects it had made and the order in
which it made them. Several ids where it broke several rules in one call, or where the firmware does not tell them apart.
"""

from __future__ import annotations

# RMI 2.0, captures/rmm/tf-rmm-head-errors.calls.jsonl.xz. 0x7fe20d057000 is the Realm, ..58000 its REC, ..84000 a page of
# the host's, ..85000 a page that is delegated and nothing else, ..75000 the endpoint, ..76000 the root port.
HEAD = """
0 1 2 3 204        incompat
12 13 16 205 206   rmm_state
14 15 207          cfg_align
208                base_align
209                top_bound
210                state
211                state populated
212 213            state
214                align
215 216            range
217                gpt
218                rd_state rtt_state
219                rd_state rtt_state
220                params_valid
221                params_pas
222 265 278        realm_state
223 225 247        rd_state
224                rec_live realm_live
227 295 355 356    order
228 357            list_align
230 359            can_cancel
232                rec_gran_state params_pas
233 235 236        rec_gran_state
234                run_pas
237                rec_mmio
238                inject_sea
239                rec_mmio inject_sea
240 241 242        alias
245 254            ipa_align
246 253 262        level_bound
249 250            rtte_state
251 252 264        rtt_walk
255                rtt_state
256                ipa_align
257 258            rtt_live
259 260 261        rtt_walk
263                rtt_homo fold_level
266 271 286        size_valid
267                base_bound
268                rec_gran_state
269                rtte_state
270                rtt_walk
272                oaddr
273                data_state
274                rd_state
275 285            rtte_state
277                size_valid
279 280 281 282    range
283                vdev_gran_state
287 288 289        index_bound
290 292            index_bound
291 293            index_bound ipa_bound
294                base_bound
296 297 299        handle
298                complete
300                params_align
301                params_pas
302                params_valid flags_supp
303 305 306 307 308 309   pdev_gran_state
304                pdev_align
310                pdev_gran_state
311 314 315 316 317 318 319 320   pdev_gran_state vdev_gran_state
312                vdev_gran_state
313                vdev_gran_state
322                params_align
323 324 325        pdev_1_gran_state stream_valid
327 328 329 330    psmmu_valid
333 335            pdev_state
334                key_invalid
336 337 420        comm_state
338                data_pas
339                pdev_state
340                state
341                pdev_stream_live
342                stream_type_exists disconnected
343                stream_state
344 345            stream_valid
346                stream_valid
347                flags_supp
348                params_valid
350                params_valid
352                pdev_state
353                pdev_gran_state
381                vdev_gran_state
"""

# RMI 1.1, captures/rmm/tf-rmm-alp16-errors.calls.jsonl.xz. 0x557f0ec50000 is the Realm, ..51000 its REC, ..6a000 a page of the
# host's, ..6b000 a page that is delegated and nothing else, ..47000 the PDEV.
ALP16 = """
140 192            incompat_lower
141                incompat_higher
146 195            gran_bound gran_state
147 152            rd_bound rd_state
153                rd_bound rd_state params_pas
154                pdev_bound pdev_state params_pas
193                gran_align
194 196 197 297    gran_state
198                rd_state
199                rd_align
200                params_valid params_supp
201                params_pas
202 242 246        realm_state
203 205 219 224    rd_state
204                realm_live
206                realm_state
207                rd_state
208                params_align
209 211 212 245    rec_gran_state
210                run_align
213                rec_mmio
215                rec_mmio
216                alias
217                target_state
218                calling_state
222 251            ipa_align
223 230 239        level_bound
226 227 247 250    rtte_state
228 229 237 238 241 248 249   rtt_walk
231                ipa_align
232                rtt_state
233                ipa_bound
234 235            rtt_live
236                rtte_state
240                rtt_homo
243                size_valid
244                base_bound
252 253 254 255    ipa_bound
256 257 258 259 261   index_bound
260 262            index_bound ipa_bound
263                base_bound
264                params_align
265                params_pas
267 269 270 271 272 273   pdev_gran_state
268                pdev_align
274                pdev_gran_state
275 278 279 280 281 282 283 284 287   pdev_gran_state vdev_gran_state
276 285            vdev_gran_state
277                vdev_state
286                rtte_state
290 292 293        pdev_state
291                key_invalid
294                comm_state
295                data_pas
296                pdev_state
305                pdev_state
"""


def labels(text: str) -> dict[int, set[str]]:
    """Call -> ids of conditions."""
    out: dict[int, set[str]] = {}
    for line in text.split("\n"):
        words = line.split()
        calls = [int(w) for w in words if w.isdigit()]
        out |= {c: {w for w in words if not w.isdigit()} for c in calls}
    return out
