/**
 * A store cannot write now, whatever it is given: its disk is full, may not be written to or fails. What was to be
 * written can be written once that is over.
 */
export class StoreFailing extends Error {
  override readonly name: string = 'StoreFailing';
}
