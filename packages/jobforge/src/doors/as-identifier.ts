/** A text of theirs as an id of the contract. */
export const asIdentifier = (text: string): string =>
  text.replaceAll(/[^A-Za-z0-9._:-]/g, '-').slice(0, 128) || 'none';
